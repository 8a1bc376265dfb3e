// What will be missed: many futures of the world that runs, from what is known now.
import { post } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { number, time } from '../lib/time.js';
import { imageLink, section, severity } from '../parts/badges.js';
import { amount, share } from '../parts/bands.js';
import { filters } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { table } from '../parts/table.js';

/** So many rows of customers are shown, those with the likeliest misses. */
const CUSTOMERS = 20;

const each = (values, unit) => values.map((value) => [value, `${value}${unit}`]);

const FIELDS = [
  {
    name: 'horizon_days',
    title: 'Look ahead',
    kind: 'select',
    options: [['', '14 days'], ...each(['7', '28', '91'], ' days')],
  },
  {
    name: 'futures',
    title: 'Futures',
    kind: 'select',
    options: [['', '100'], ...each(['20', '500', '1000'], '')],
  },
  { name: 'seed', title: 'Seed', kind: 'text', placeholder: '1' },
];

/** The page. */
export function forecast(context) {
  const { form, update: align } = filters('Forecast', '/forecast', FIELDS);
  const results = h('div', { class: 'results' });
  const lead = h(
    'p',
    { class: 'lead' },
    'Many futures of this world are played from now. What is known stays; what is not is drawn ',
    'anew, given what is known. The share of futures in which a deadline is missed is its ',
    'probability.',
  );
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Forecast'), lead, form, results);
  const update = ({ query, asOf, signal }) => {
    align(query);
    const fetch = () => post('/v1/forecasts', wanted(query), signal);
    view.ready = load(results, signal, fetch, (ahead) => show(ahead, asOf));
  };
  const view = { title: 'Forecast', element, update };
  update(context);
  return view;
}

function wanted(query) {
  const count = (name) => (query.get(name) ? Number(query.get(name)) : undefined);
  return {
    horizon_days: count('horizon_days'),
    futures: count('futures'),
    seed: query.get('seed') || undefined,
  };
}

function show(ahead, asOf) {
  return [
    asOf && h('p', { class: 'notice' }, 'A forecast begins now, whatever instant is looked at.'),
    h(
      'p',
      { role: 'status' },
      `${number(ahead.futures)} futures from `,
      time(ahead.from),
      ' to ',
      time(ahead.until),
      `, limits at ${(ahead.confidence * 100).toFixed(0)} % confidence`,
    ),
    ahead.total && section('Deadlines missed, of timers open now and to come', totals(ahead)),
    section('Endangered timers', timers(ahead)),
    section('Customers', customers(ahead)),
    ahead.queue && section('Builds that wait or run', queue(ahead)),
  ];
}

const GROUP = [
  { title: 'Clock', cell: (row) => row.clock },
  { title: 'At least one missed', cell: (row) => share(row.any) },
];

function totals({ total }) {
  const most = Math.max(...total.map((row) => row.expected.upper ?? row.expected.estimate), 0);
  return table(
    'Deadlines missed',
    [
      { title: 'Severity', cell: (row) => severity(row.severity) },
      ...GROUP,
      { title: 'How many', cell: (row) => amount(row.expected, most) },
    ],
    total,
  );
}

function timers({ timers: all, open_timers: open }) {
  const endangered = all.filter((timer) => timer.missed.estimate > 0);
  if (endangered.length === 0) {
    return empty('No deadline is endangered.', `None of ${number(open)} open timers is missed.`);
  }
  const columns = [
    { title: 'Image', cell: (row) => imageLink(row.image, { part: 'findings' }) },
    { title: 'CVE', cell: (row) => h('code', { class: 'digest' }, row.cve) },
    { title: 'Severity', cell: (row) => severity(row.severity) },
    { title: 'Customer', cell: (row) => row.tenant_namespace },
    { title: 'Clock', cell: (row) => row.clock },
    { title: 'Deadline', cell: (row) => time(row.due_at) },
    { title: 'Missed', cell: (row) => share(row.missed) },
  ];
  return [
    h('p', null, `${number(endangered.length)} of ${number(open)} open timers.`),
    table('Endangered timers', columns, endangered),
  ];
}

function customers({ customers: all }) {
  if (all.length === 0) return empty('No customer is.', 'No future misses a deadline.');
  const first = [...all].sort((a, b) => b.any.estimate - a.any.estimate).slice(0, CUSTOMERS);
  return table(
    'Customers',
    [
      { title: 'Customer', cell: (row) => row.tenant_namespace },
      { title: 'Severity', cell: (row) => severity(row.severity) },
      ...GROUP,
    ],
    first,
  );
}

function queue({ queue: days }) {
  const most = Math.max(...days.map((day) => day.builds_p95), 1);
  const columns = [
    { title: 'At', cell: (row) => time(row.at) },
    { title: 'In the mean', cell: (row) => amount(row.builds, most) },
    { title: 'At most, in 95 %', kind: 'number', cell: (row) => number(row.builds_p95) },
  ];
  return table('Builds that wait or run', columns, days);
}
