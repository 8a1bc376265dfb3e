// Scenarios: those that come with the program, the one that plays, and your own, which is checked
// while it is written and loaded in the place of the world that runs.
import { get, post } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { href, navigate } from '../lib/router.js';
import { identity } from '../lib/session.js';
import { number, stamp, time } from '../lib/time.js';
import { facts, section } from '../parts/badges.js';
import { field } from '../parts/field.js';
import { load, problem } from '../parts/states.js';
import { table } from '../parts/table.js';

/** So long after the last key a text is checked. */
const TYPED_MS = 400;

const CLOCKS = [
  ['', 'as fast as it can'],
  ['live', 'live'],
  ['paused', 'paused'],
];

/** The page of all scenarios. */
export function scenarios(context) {
  const results = h('div', { class: 'results' });
  const lead = h(
    'p',
    { class: 'lead' },
    'A scenario says what the world is: images, builders, customers, promises, and what happens. ',
    'Open one to read it, change it and load it.',
  );
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Scenarios'), lead, results);
  const update = ({ signal }) => {
    view.ready = load(results, signal, () => get('/v1/scenarios', {}, signal), list);
  };
  const view = { title: 'Scenarios', element, update };
  update(context);
  return view;
}

function list(found) {
  const name = (row) => [
    h('a', { href: href(`/scenarios/${encodeURIComponent(row.name)}`) }, row.title),
    h('span', { class: 'sub' }, row.name, row.sha256 === found.current_sha256 && ' · plays now'),
  ];
  const columns = [
    { title: 'Scenario', cell: name },
    { title: 'What it tells', cell: (row) => row.description },
    { title: 'Images', kind: 'number', cell: (row) => number(row.images) },
    { title: 'Customers', kind: 'number', cell: (row) => number(row.customers) },
    { title: 'From', cell: (row) => time(row.starts_at) },
    { title: 'Until', cell: (row) => time(row.ends_at) },
  ];
  const own = !found.items.some((row) => row.sha256 === found.current_sha256);
  const current = h('a', { href: href('/scenarios/current') }, found.current);
  return [
    own && h('p', null, 'The world plays a scenario of its own: ', current, '.'),
    table('Scenarios', columns, found.items),
  ];
}

/** The page of one scenario. */
export function scenario(context) {
  const { name } = context.params;
  const title = h('h1', { tabindex: -1 }, name);
  const results = h('div', { class: 'results' });
  const up = h('p', null, h('a', { href: href('/scenarios') }, 'Scenarios'));
  const element = h('div', null, up, title, results);
  const { signal } = context;
  const address = `/v1/scenarios/${encodeURIComponent(name)}`;
  const ready = load(results, signal, () => get(address, {}, signal), (found) => {
    title.textContent = found.title;
    return editor(found);
  });
  return { title: name, element, ready };
}

function editor(found) {
  const rows = Math.min(30, found.scenario.split('\n').length + 1);
  const text = h('textarea', { id: 'scenario-text', rows, spellcheck: 'false' });
  text.value = found.scenario;
  const verdict = h('div', { role: 'status', class: 'checked' });
  put(verdict, valid(found));
  let timer = 0;
  let asked = null;
  const check = async () => {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const checked = await post('/v1/scenarios/check', { scenario: text.value }, signal);
      put(verdict, valid(checked));
    } catch (error) {
      if (!signal.aborted) put(verdict, problem(error), goTo(text, error));
    }
  };
  text.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(check, TYPED_MS);
  });
  const label = h('label', { for: 'scenario-text' }, 'Scenario (YAML), checked as you type');
  const form = h('div', { class: 'study-form' }, label, text, verdict);
  const may = identity()?.role === 'admin' && identity().tenant == null;
  return [section('The scenario', form), may && section('Load it', loader(text))];
}

function valid(checked) {
  return [
    h('p', null, h('span', { class: 'state good' }, 'valid')),
    facts([
      ['Images', number(checked.images)],
      ['Packages', number(checked.packages)],
      ['Customers', number(checked.customers)],
      ['Policies', number(checked.policies)],
      ['From', `${stamp(checked.starts_at)} UTC`],
      ['Until', `${stamp(checked.ends_at)} UTC`],
      ['Seed', checked.seed],
    ]),
  ];
}

/** Buttons that put the cursor where something is wrong. */
function goTo(text, error) {
  const places = (error.errors ?? []).map(({ name }) => /line (\d+), column (\d+)/.exec(name));
  return places.filter(Boolean).map(([name, line, column]) => {
    const go = () => {
      const before = text.value.split('\n').slice(0, Number(line) - 1);
      const at = before.reduce((sum, each) => sum + each.length + 1, 0) + Number(column) - 1;
      text.focus();
      text.setSelectionRange(at, at);
      // A line of the text is a row of the field.
      text.scrollTop = (text.scrollHeight / text.value.split('\n').length) * (Number(line) - 4);
    };
    return h('button', { type: 'button', class: 'small', on: { click: go } }, `Go to ${name}`);
  });
}

function loader(text) {
  const seed = field('load-seed', 'Seed', { maxlength: 20, placeholder: "the scenario's" });
  const clock = field('load-clock', 'Clock', { options: CLOCKS });
  const replace = field('load-replace', 'Name of the world to replace', { required: true });
  const told = h('div', { role: 'status' });
  const submit = async (event) => {
    event.preventDefault();
    put(told, h('p', null, 'asking …'));
    try {
      await post('/v1/scenarios/load', {
        scenario: text.value,
        seed: seed.input.value.trim() || undefined,
        clock: clock.input.value || undefined,
        replace: replace.input.value.trim(),
      });
      navigate(href('/images', { as_of: null }));
    } catch (error) {
      put(told, problem(error));
    }
  };
  const fields = [seed, clock, replace].map((each) => each.element);
  const button = h('button', { type: 'submit' }, 'Replace the world');
  const warning = h(
    'p',
    null,
    'The world that runs, its history and its documents are deleted. Write its name, so that it ',
    'is the one you mean; it stands at the top of this page.',
  );
  return [warning, h('form', { class: 'filters', on: { submit } }, fields, button), told];
}
