// What is promised, and how it is counted.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { number } from '../../lib/time.js';
import { SEVERITIES, words } from '../../parts/badges.js';
import { load } from '../../parts/states.js';
import { table } from '../../parts/table.js';

/** The part. */
export function policiesPart({ signal }) {
  const place = h('div');
  const fetch = () => get('/v1/sla/policies', {}, signal);
  load(place, signal, fetch, ({ items }) => table('Policies', COLUMNS, items));
  return place;
}

const COLUMNS = [
  { title: 'Policy', cell: (row) => row.name },
  { title: 'Customers', kind: 'number', cell: (row) => number(row.customers) },
  ...SEVERITIES.map((name) => ({
    title: name,
    kind: 'number',
    cell: (row) => days(row[`${name}_days`]),
  })),
  { title: 'Days are', cell: (row) => `${row.calendar} days` },
  { title: 'Clock starts when', cell: (row) => words(row.clock_start) },
  { title: 'Without a fix', cell: (row) => (row.pause_without_fix ? 'pauses' : 'runs on') },
  { title: 'Warns at', kind: 'number', cell: (row) => permille(row.warn_permille) },
  { title: 'Mass events', cell: (row) => mass(row.exclude_over_permille) },
  { title: 'Exposed again', cell: (row) => words(row.on_reexposure) },
];

function days(value) {
  return value == null ? 'nothing' : `${value} d`;
}

function permille(value) {
  return `${value / 10} %`;
}

function mass(value) {
  return value == null ? 'count' : `excluded over ${permille(value)} of images`;
}
