// The score card of a drill: how long a mass event takes, beside what real ones took, and what is
// known when each clock of the Cyber Resilience Act ends.
import { post } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { number, stamp } from '../lib/time.js';
import { facts, section } from '../parts/badges.js';
import { beside } from '../parts/bands.js';
import { filters } from '../parts/filters.js';
import { load } from '../parts/states.js';
import { table } from '../parts/table.js';

const SCENARIO = 'friday-night';

const FIELDS = [
  {
    name: 'name',
    title: 'Scenario',
    kind: 'select',
    options: [
      ['', SCENARIO],
      ['enterprise-quarter', 'enterprise-quarter'],
    ],
  },
  {
    name: 'replications',
    title: 'Replications',
    kind: 'select',
    options: [
      ['', '20'],
      ['1', '1'],
      ['5', '5'],
      ['100', '100'],
    ],
  },
  { name: 'seed', title: 'Seed', kind: 'text', placeholder: "the scenario's" },
];

/** The page. */
export function drills(context) {
  const { form, update: align } = filters('Drill', '/drills', FIELDS);
  const results = h('div', { class: 'results' });
  const lead = h(
    'p',
    { class: 'lead' },
    'A mass vulnerability of a scenario is played, apart from the world that runs. Hours count ',
    'from the disclosure. A scenario of your own is drilled by ',
    h('code', null, 'POST /v1/drills'),
    ' or ',
    h('code', null, 'wavetank drill'),
    '.',
  );
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Drills'), lead, form, results);
  const update = ({ query, signal }) => {
    align(query);
    const fetch = () => post('/v1/drills', wanted(query), signal);
    view.ready = load(results, signal, fetch, show);
  };
  const view = { title: 'Drills', element, update };
  update(context);
  return view;
}

function wanted(query) {
  const replications = query.get('replications');
  return {
    name: query.get('name') || SCENARIO,
    replications: replications ? Number(replications) : undefined,
    seed: query.get('seed') || undefined,
  };
}

function show(card) {
  const particulars = facts([
    ['Scenario', card.scenario],
    ['CVE', card.cve && h('code', null, card.cve)],
    ['Disclosed', stamp(card.disclosed_at)],
    ['Seed', card.seed],
    ['Images hit', number(card.images)],
    ['Customers exposed', number(card.customers)],
    ['Played', `${number(card.replications)} times`],
  ]);
  return [
    section('The event', particulars),
    section('Score card', hours(card)),
    section('Cyber Resilience Act, Article 14', clocks(card)),
  ];
}

function hours(card) {
  const rows = [
    { title: 'Found on an image', hours: card.aware_hours },
    { title: 'Known who runs it', ...card.scoped },
    { title: 'First customer told', hours: card.first_told_hours },
    { title: 'All customers told', ...card.all_told },
    ...card.rebuilt.map((of) => ({ title: `${percent(of.share)} of images rebuilt`, ...of })),
    ...card.adopted.map((of) => ({ title: `${percent(of.share)} of uses adopted`, ...of })),
  ];
  const most = Math.max(
    ...rows.flatMap((row) => [row.hours ?? 0, row.reference_most_hours ?? 0]),
    1,
  );
  const columns = [
    { title: 'Until', cell: (row) => row.title },
    { title: 'Hours', kind: 'number', cell: (row) => hour(row.hours) },
    {
      title: `Median of ${number(card.replications)}`,
      cell: (row) => (row.median ? median(row.median) : '–'),
    },
    { title: 'Real events of 2025', cell: (row) => reference(row, most) },
  ];
  return table('Score card', columns, rows);
}

function hour(value) {
  return value == null ? 'not yet' : value.toFixed(1);
}

function median({ estimate, lower, upper }) {
  if (estimate == null) return 'not reached';
  if (lower == null && upper == null) return estimate.toFixed(1);
  const limit = (value) => (value == null ? '–' : value.toFixed(1));
  const limits = h('span', { class: 'quiet' }, ` ${limit(lower)} to ${limit(upper)}`);
  return [estimate.toFixed(1), limits];
}

function reference(row, most) {
  const [least, last] = [row.reference_least_hours, row.reference_most_hours];
  if (least == null) return '–';
  const slower = row.hours == null || row.hours > last;
  const verdict = slower ? 'slower' : row.hours < least ? 'faster' : 'as fast';
  return h(
    'span',
    { class: 'estimate' },
    beside(row.hours, [least, last], most),
    h('span', null, `${least} to ${last} h`),
    h('span', { class: 'quiet' }, verdict),
  );
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

function clocks(card) {
  const rows = [
    ['Early warning', '24 h from becoming aware', card.early_warning],
    ['Notification', '72 h from becoming aware', card.notification],
    ['Final report', '14 days from the first fixed image', card.final_report],
  ].map(([title, rule, clock]) => ({ title, rule, ...clock }));
  const known = (of) => (row) => (row.observed ? percent(row[of] ?? 0) : 'not seen');
  const columns = [
    { title: 'Clock', cell: (row) => [row.title, h('span', { class: 'sub' }, row.rule)] },
    { title: 'Ends after', kind: 'number', cell: (row) => ends(row) },
    { title: 'Images known', kind: 'number', cell: known('scoped') },
    { title: 'Customers told', kind: 'number', cell: known('told') },
    { title: 'Images fixed', kind: 'number', cell: known('fixed') },
  ];
  return [
    table('What is known when each clock ends', columns, rows),
    h(
      'p',
      { class: 'quiet' },
      'Aware is the platform when a scan first finds it. A clock that ends after the scenario is ',
      'not scored.',
    ),
  ];
}

function ends(row) {
  return row.due_hours == null ? 'has not started' : `${row.due_hours.toFixed(1)} h`;
}
