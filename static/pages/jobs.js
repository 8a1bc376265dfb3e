// The queues and their jobs: what waits, what runs, and what failed for good.
import { get, post } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { here, refresh } from '../lib/router.js';
import { identity } from '../lib/session.js';
import { none, number, time } from '../lib/time.js';
import { words } from '../parts/badges.js';
import { action } from '../parts/action.js';
import { filters, given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const QUEUES = ['build', 'scan', 'attest', 'sla_check', 'notify'];
const STATES = ['waiting', 'in_flight', 'failed', 'dead', 'done', 'discarded'];
const choice = (name) => [name, words(name)];

const FIELDS = [
  { name: 'queue', title: 'Queue', kind: 'select', options: [['', 'any'], ...QUEUES.map(choice)] },
  { name: 'state', title: 'State', kind: 'select', options: [['', 'any'], ...STATES.map(choice)] },
];
const NAMES = FIELDS.map((field) => field.name);

/** The page. */
export function jobs(context) {
  const { form, update: align } = filters('Jobs', '/jobs', FIELDS);
  const queues = h('div', { class: 'summary' });
  const results = h('div', { class: 'results' });
  const lead = h(
    'p',
    { class: 'lead' },
    'Jobs make the documents of what the simulation has decided. One that fails is tried again; ',
    'one that is dead waits for you.',
  );
  const title = h('h1', { tabindex: -1 }, 'Jobs');
  const element = h('div', null, title, lead, queues, form, results);
  const update = ({ query, signal }) => {
    align(query);
    load(queues, signal, () => get('/v1/queues', {}, signal), overview);
    const asked = { ...given(query, NAMES), as_of: null };
    const fetch = () => get('/v1/jobs', asked, signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Jobs', element, update };
  update(context);
  return view;
}

function overview({ items }) {
  const count = (state) => (row) => {
    if (!row[state]) return number(0);
    const to = here({ queue: row.name, state, page_token: null });
    return h('a', { href: to, class: state === 'dead' ? 'overdue' : null }, number(row[state]));
  };
  const columns = [
    { title: 'Queue', cell: (row) => words(row.name) },
    ...['waiting', 'in_flight', 'failed', 'dead'].map((state) => ({
      title: words(state),
      kind: 'number',
      cell: count(state),
    })),
  ];
  return table('Queues', columns, items);
}

function list(page, query) {
  if (page.items.length === 0) return empty('No job is like that.', 'Take a filter away, or wait.');
  return [table('Jobs', columns(), page.items), foot(page, 'jobs', query)];
}

function columns() {
  const all = [
    { title: 'Job', cell: (row) => h('code', null, row.id) },
    { title: 'Queue', cell: (row) => words(row.queue) },
    { title: 'State', cell: (row) => standing(row) },
    { title: 'Simulated', cell: (row) => time(row.at) },
    { title: 'Tries', kind: 'number', cell: (row) => number(row.attempts) },
    { title: 'Lost', kind: 'number', cell: (row) => number(row.lost) },
    { title: 'Last error', cell: (row) => failure(row) },
    { title: 'Done (wall clock)', cell: (row) => time(row.done_wall) },
  ];
  const mayDecide = identity()?.role === 'admin';
  return mayDecide ? [...all, { title: 'Decide', cell: decide }] : all;
}

const TONES = { done: 'good', dead: 'bad', failed: 'warn' };

function standing(row) {
  return h('span', { class: `state ${TONES[row.state] ?? ''}` }, words(row.state));
}

function failure(row) {
  return row.error ? h('pre', { class: 'job-error' }, row.error) : none();
}

function decide(row) {
  if (row.state !== 'dead') return none();
  const act = (what) => async () => {
    await post(`/v1/jobs/${row.id}/${what}`, {});
    setTimeout(refresh, 500);
    return what === 'retry' ? 'goes on' : 'discarded';
  };
  return [
    action('Retry', act('retry'), { label: `Retry job ${row.id}` }),
    action('Discard', act('discard'), {
      label: `Discard job ${row.id}`,
      sure: 'Discard for good?',
    }),
  ];
}
