// Studies: those there are, the latest first, and a form that starts another.
import { get, post } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { href, navigate } from '../lib/router.js';
import { identity } from '../lib/session.js';
import { number, stamp } from '../lib/time.js';
import { section, state } from '../parts/badges.js';
import { empty, load, problem } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

// Something that is played in a moment, to begin with.
const EXAMPLE = `name: one-or-two
title: One builder or two
scenario: classroom # or four-weeks, friday-night, enterprise-quarter
warm_up: 1d
replications: 20

# Each value is an arm; all face the same events.
grid:
  builders.count: [1, 2]

questions:
  - better: {arm: builders.count=2, than: builders.count=1, in: {measure: queue_wait_mean}}
  - fewest_builders: {where: {of: {measure: queue_wait_p95}, at_most: 2}}
`;

/** The page. */
export function studies(context) {
  const results = h('div', { class: 'results' });
  const lead = h(
    'p',
    { class: 'lead' },
    'A study plays variants of a scenario many times and says what can be promised, with what ',
    'certainty. The workers play it, apart from the world that runs. How one is written: ',
    h('code', null, 'wavetank study --example'),
    '.',
  );
  const may = identity()?.role === 'admin' || identity()?.role === 'editor';
  const form = may && identity().tenant == null ? starter() : null;
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Studies'), lead, form, results);
  const update = ({ query, signal }) => {
    const fetch = () => get('/v1/studies', { page_token: query.get('page_token') }, signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Studies', element, update };
  update(context);
  return view;
}

function list(page, query) {
  if (page.items.length === 0) {
    return empty('There is no study yet.', 'Start one above: it is played in the background.');
  }
  const columns = [
    {
      title: 'Study',
      cell: (row) => [
        h('a', { href: href(`/studies/${row.id}`) }, row.title),
        h('span', { class: 'sub' }, row.name),
      ],
    },
    { title: 'Status', cell: (row) => state(row.status) },
    { title: 'Replications', kind: 'number', cell: played },
    { title: 'Asked for', cell: (row) => stamp(row.created_wall) },
  ];
  return [table('Studies', columns, page.items), foot(page, 'studies', query)];
}

/** How many replications have been played, of how many. */
export function played({ done, expected }) {
  return `${number(done)} of ${number(expected)}`;
}

function starter() {
  const text = h('textarea', { id: 'study-text', rows: 18, spellcheck: 'false', name: 'study' });
  text.value = EXAMPLE;
  const told = h('div', { role: 'status' });
  const button = h('button', { type: 'submit' }, 'Start the study');
  const form = h(
    'form',
    { class: 'study-form' },
    h('label', { for: 'study-text' }, 'Study (YAML)'),
    text,
    button,
    told,
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    put(told, 'reading …');
    try {
      const study = await post('/v1/studies', { study: text.value });
      navigate(href(`/studies/${study.id}`));
    } catch (error) {
      put(told, problem(error));
    } finally {
      button.disabled = false;
    }
  });
  return section('Start a study', form);
}
