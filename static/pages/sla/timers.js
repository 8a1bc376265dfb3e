// Timers, the most urgent first.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { span, stamp, time } from '../../lib/time.js';
import {
  SEVERITIES,
  customerLink,
  cveLink,
  imageLink,
  severity,
  state,
  words,
} from '../../parts/badges.js';
import { filters, given } from '../../parts/filters.js';
import { empty, load } from '../../parts/states.js';
import { foot, table } from '../../parts/table.js';

const ANY = ['', 'any'];
const STATES = ['running', 'at_risk', 'overdue', 'paused', 'excluded', 'stopped'];

const FIELDS = [
  {
    name: 'state',
    title: 'State',
    kind: 'select',
    options: [ANY, ...STATES.map((name) => [name, words(name)])],
  },
  {
    name: 'severity',
    title: 'Severity',
    kind: 'select',
    options: [ANY, ...SEVERITIES.map((name) => [name, name])],
  },
  {
    name: 'clock',
    title: 'Clock',
    kind: 'select',
    options: [ANY, ['provider', 'provider'], ['customer', 'customer']],
  },
  { name: 'tenant', title: 'Customer', kind: 'text', placeholder: 'its namespace' },
  { name: 'image', title: 'Image', kind: 'text', placeholder: 'its name' },
  { name: 'cve', title: 'CVE', kind: 'text', placeholder: 'CVE-…' },
];
const NAMES = FIELDS.map((field) => field.name);

/** The part. */
export function timersPart({ query, signal }) {
  const { form, update: align } = filters('Timers', '/sla', FIELDS);
  align(query);
  const place = h('div', { class: 'results' });
  const fetch = () => get('/v1/sla/timers', given(query, NAMES), signal);
  load(place, signal, fetch, (page) => {
    if (page.items.length === 0) {
      return empty('No timer is like that.', 'Take a filter away, or look at another instant.');
    }
    return [table('Timers', columns(page.as_of), page.items), foot(page, 'timers', query)];
  });
  return [form, place];
}

/** The columns of timers, for all of them and for those of one customer. */
export function columns(asOf) {
  return [
    { title: 'CVE', cell: (row) => cveLink(row.cve) },
    { title: 'Severity', cell: (row) => severity(row.severity) },
    { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Customer', cell: (row) => customerLink(row.tenant_namespace, row.customer) },
    { title: 'Clock', cell: (row) => [row.clock, h('span', { class: 'sub' }, row.policy)] },
    { title: 'State', cell: (row) => state(row.state) },
    { title: 'Time left', kind: 'number', cell: (row) => left(row, asOf) },
    { title: 'Due', cell: (row) => (row.due_at ? time(row.due_at) : 'no fix exists') },
    { title: 'Opened', cell: (row) => time(row.opened_at) },
  ];
}

function left(row, asOf) {
  if (row.stopped_at) return h('span', { class: 'quiet' }, words(row.stop_reason ?? 'stopped'));
  if (row.state === 'excluded') return h('span', { class: 'quiet' }, 'excluded');
  if (!row.due_at) return h('span', { class: 'quiet' }, 'paused');
  const rest = Date.parse(row.due_at) - Date.parse(asOf);
  const title = `due ${stamp(row.due_at, true)} UTC`;
  if (rest < 0) return h('span', { class: 'overdue', title }, `overdue by ${span(rest)}`);
  return h('span', { class: row.state === 'at_risk' ? 'at-risk' : null, title }, span(rest));
}
