// All builds, the latest asked for first.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { filters, given } from '../parts/filters.js';
import { BUILD_STATUSES, BUILD_TRIGGERS, buildTable } from '../parts/build-table.js';
import { words } from '../parts/badges.js';
import { empty, load } from '../parts/states.js';
import { foot } from '../parts/table.js';

const choice = (name) => [name, words(name)];

const FIELDS = [
  { name: 'image', title: 'Image', kind: 'text', placeholder: 'its name' },
  {
    name: 'status',
    title: 'Status',
    kind: 'select',
    options: [['', 'any'], ...BUILD_STATUSES.map(choice)],
  },
  {
    name: 'trigger',
    title: 'Asked for by',
    kind: 'select',
    options: [['', 'anything'], ...BUILD_TRIGGERS.map(choice)],
  },
];
const NAMES = FIELDS.map((field) => field.name);

/** The page. */
export function builds(context) {
  const { form, update: align } = filters('Builds', '/builds', FIELDS);
  const results = h('div', { class: 'results' });
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Builds'), form, results);
  const update = ({ query, signal }) => {
    align(query);
    const fetch = () => get('/v1/builds', given(query, NAMES), signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Builds', element, update };
  update(context);
  return view;
}

function list(page, query) {
  if (page.items.length === 0) {
    return empty('No build is like that.', 'Take a filter away, or look at another instant.');
  }
  return [buildTable('Builds', page.items, true), foot(page, 'builds', query)];
}
