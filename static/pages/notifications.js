// What customers were told, the latest first.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { time } from '../lib/time.js';
import { customerLink, cveLink, imageLink, words } from '../parts/badges.js';
import { filters, given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const KINDS = ['build_failed', 'critical_cve', 'sla_at_risk', 'sla_breached', 'sla_resolved'];
/** So many items of a notification are shown at once. */
const SHOWN = 3;

const FIELDS = [
  {
    name: 'kind',
    title: 'About',
    kind: 'select',
    options: [['', 'anything'], ...KINDS.map((kind) => [kind, words(kind)])],
  },
  { name: 'tenant', title: 'Customer', kind: 'text', placeholder: 'its namespace' },
];
const NAMES = FIELDS.map((field) => field.name);

/** The page. */
export function notifications(context) {
  const { form, update: align } = filters('Notifications', '/notifications', FIELDS);
  const results = h('div', { class: 'results' });
  const lead = h(
    'p',
    { class: 'lead' },
    'What customers were told. ',
    h('a', { href: href('/webhooks') }, 'Webhooks'),
    ' send the same to other systems.',
  );
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Notifications'), lead, form, results);
  const update = ({ query, signal }) => {
    align(query);
    const fetch = () => get('/v1/notifications', given(query, NAMES), signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Notifications', element, update };
  update(context);
  return view;
}

function list(page, query) {
  if (page.items.length === 0) {
    return empty('Nobody was told anything of that kind.', 'Take a filter away, or wait.');
  }
  return [table('Notifications', COLUMNS, page.items), foot(page, 'notifications', query)];
}

/** The columns of notifications. */
export const COLUMNS = [
  { title: 'Subject', cell: (row) => row.subject },
  { title: 'About', cell: (row) => words(row.kind) },
  { title: 'Customer', cell: (row) => customerLink(row.tenant_namespace) },
  { title: 'What', cell: (row) => items(row) },
  { title: 'At', cell: (row) => time(row.at) },
];

function items(row) {
  const listed = Array.isArray(row.body?.items) ? row.body.items : [];
  const more = listed.length - SHOWN;
  return h(
    'ul',
    { class: 'plain' },
    listed.slice(0, SHOWN).map((item) => h('li', null, about(item))),
    more > 0 && h('li', { class: 'quiet' }, `and ${more} more`),
  );
}

function about(item) {
  const parts = [item.cve && cveLink(item.cve), item.image && imageLink(item.image)];
  return parts.filter(Boolean).flatMap((part) => [part, ' ']);
}
