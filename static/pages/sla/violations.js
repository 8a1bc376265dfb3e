// Promises that were missed, and how late they were met.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { between, time } from '../../lib/time.js';
import { SEVERITIES, customerLink, cveLink, imageLink, severity } from '../../parts/badges.js';
import { filters, given } from '../../parts/filters.js';
import { empty, load } from '../../parts/states.js';
import { foot, table } from '../../parts/table.js';

const ANY = ['', 'any'];

const FIELDS = [
  {
    name: 'state',
    title: 'State',
    kind: 'select',
    options: [ANY, ['open', 'open'], ['resolved', 'resolved']],
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
];
const NAMES = FIELDS.map((field) => field.name);

/** The part. */
export function violationsPart({ query, signal }) {
  const { form, update: align } = filters('Violations', '/sla', FIELDS);
  align(query);
  const place = h('div', { class: 'results' });
  const fetch = () => get('/v1/sla/violations', given(query, NAMES), signal);
  load(place, signal, fetch, (page) => {
    if (page.items.length === 0) {
      return empty('No promise of that kind was missed.', 'So far, and as far as it is known.');
    }
    const columns = violationColumns(page.as_of);
    return [table('Violations', columns, page.items), foot(page, 'violations', query)];
  });
  return [form, place];
}

/** The columns of violations. */
export function violationColumns(asOf) {
  return [
    { title: 'CVE', cell: (row) => cveLink(row.cve) },
    { title: 'Severity', cell: (row) => severity(row.severity) },
    { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Customer', cell: (row) => customerLink(row.tenant_namespace, row.customer) },
    { title: 'Clock', cell: (row) => row.clock },
    { title: 'Was due', cell: (row) => time(row.due_at) },
    { title: 'Late by', kind: 'number', cell: (row) => late(row, asOf) },
    { title: 'Met', cell: (row) => (row.resolved_at ? time(row.resolved_at) : 'not yet') },
  ];
}

function late(row, asOf) {
  const text = between(row.due_at, row.resolved_at ?? asOf);
  return row.resolved_at ? text : h('span', { class: 'overdue' }, `${text}, still open`);
}
