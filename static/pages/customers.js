// Customers: who they are, what they run, and what they are promised.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { number } from '../lib/time.js';
import { customerLink } from '../parts/badges.js';
import { filters, given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const FIELDS = [{ name: 'q', title: 'Search', kind: 'text', wide: true, placeholder: 'a name' }];

/** The page. */
export function customers(context) {
  const { form, update: align } = filters('Customers', '/customers', FIELDS);
  const results = h('div', { class: 'results' });
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Customers'), form, results);
  const update = ({ query, signal }) => {
    align(query);
    const fetch = () => get('/v1/customers', given(query, ['q']), signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Customers', element, update };
  update(context);
  return view;
}

function list(page, query) {
  if (page.items.length === 0) {
    return empty('There is no such customer.', 'Or none that this key may see.');
  }
  return [table('Customers', COLUMNS, page.items), foot(page, 'customers', query)];
}

const COLUMNS = [
  {
    title: 'Customer',
    cell: (row) => [
      customerLink(row.tenant_namespace, row.name),
      h('span', { class: 'sub' }, row.tenant_namespace),
    ],
  },
  { title: 'Tier', cell: (row) => row.sla_tier },
  { title: 'Policy', cell: (row) => row.policy },
  { title: 'Images', kind: 'number', cell: (row) => number(row.images) },
  { title: 'Facing the internet', kind: 'number', cell: (row) => number(row.internet_exposed) },
  { title: 'Contact', cell: (row) => [row.contact_name, sub(row.contact_email)] },
];

function sub(text) {
  return h('span', { class: 'sub' }, text);
}
