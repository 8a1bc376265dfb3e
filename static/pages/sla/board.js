// The board itself: how the timers of a time fared, how long exposures last, and what counts as one
// mass event. Each number links to what it counts.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { here, href } from '../../lib/router.js';
import { number, time } from '../../lib/time.js';
import { cveLink, pending, section, severity } from '../../parts/badges.js';
import { filters } from '../../parts/filters.js';
import { empty, load } from '../../parts/states.js';
import { survival } from '../../parts/survival.js';
import { table } from '../../parts/table.js';

const FIELDS = [
  {
    name: 'days',
    title: 'Timers opened within',
    kind: 'select',
    options: [
      ['', '30 days'],
      ['7', '7 days'],
      ['90', '90 days'],
      ['365', '365 days'],
    ],
  },
  { name: 'tenant', title: 'Customer', kind: 'text', placeholder: 'its namespace' },
];

/** The part. */
export function boardPart({ query, signal }) {
  const { form, update: align } = filters('SLA board', '/sla', FIELDS);
  align(query);
  const place = h('div', { class: 'results' });
  const asked = { as_of: query.get('as_of'), days: query.get('days') };
  const fetch = async () => {
    const figures = { ...asked, tenant: query.get('tenant') };
    const [told, remediation, policies] = await Promise.all([
      get('/v1/sla/figures', figures, signal),
      get('/v1/sla/remediation', asked, signal),
      get('/v1/sla/policies', {}, signal),
    ]);
    return { told, remediation, policies: policies.items };
  };
  load(place, signal, fetch, show);
  return [form, place];
}

function show({ told, remediation, policies }) {
  const when = told.evaluated_at
    ? h('p', { class: 'quiet' }, 'Last evaluated at ', time(told.evaluated_at), ' UTC.')
    : h('p', null, pending('No evaluation has run yet.'));
  const promised = (name) => {
    const days = policies.map((policy) => policy[`${name}_days`]).filter((day) => day != null);
    return [...new Set(days)].sort((a, b) => a - b);
  };
  const figures = told.timers.length
    ? table('Timers by clock and severity', COLUMNS, told.timers)
    : empty('No timer has opened in that time.', 'Nothing that is promised has been found open.');
  const curves = remediation.curves.some((curve) => curve.exposures > 0)
    ? survival(remediation.curves, promised)
    : empty('No exposure has begun in that time.', 'Nothing is known of how long they last.');
  return [
    section('What became of the timers', when, figures),
    section('Exposure', table('Exposure-days by severity', EXPOSURE, told.exposure_days)),
    section('How long exposures last', curves),
    section('Mass events', massEvents(told.mass_events)),
  ];
}

/** The timers of a clock and severity, whenever they opened. */
function timers({ clock, severity: name }) {
  const to = here({ part: 'timers', clock, severity: name, page_token: null, days: null });
  return h('a', { href: to }, `${clock} clock`);
}

const count = (name) => (row) => number(row[name]);

const COLUMNS = [
  { title: 'Severity', cell: (row) => severity(row.severity) },
  { title: 'Timers', cell: timers },
  { title: 'Opened', kind: 'number', cell: count('opened') },
  { title: 'Kept', kind: 'number', cell: count('kept') },
  { title: 'Missed', kind: 'number', cell: (row) => missed(row) },
  { title: 'Share kept', kind: 'number', cell: (row) => share(row) },
  { title: 'Running', kind: 'number', cell: count('running') },
  { title: 'Paused', kind: 'number', cell: count('paused') },
  { title: 'Undecided', kind: 'number', cell: count('undecided') },
  { title: 'Excluded', kind: 'number', cell: count('excluded') },
];

function missed(row) {
  if (!row.missed) return number(0);
  const to = { part: 'violations', clock: row.clock, severity: row.severity };
  const title = 'All violations of that clock and severity';
  return h('a', { href: href('/sla', to), title }, number(row.missed));
}

function share({ kept, missed: late }) {
  const decided = kept + late;
  if (decided === 0) return pending('None has been decided yet.');
  return `${((100 * kept) / decided).toFixed(1)} %`;
}

const EXPOSURE = [
  { title: 'Severity', cell: (row) => severity(row.severity) },
  { title: 'Exposure-days', kind: 'number', cell: (row) => number(Math.round(row.days)) },
];

function massEvents(events) {
  if (events.length === 0) {
    return h('p', null, 'No CVE has hit so many images at once that a policy makes an exception.');
  }
  return table('Mass events', MASS, events);
}

const MASS = [
  { title: 'CVE', cell: (row) => cveLink(row.cve) },
  { title: 'Policy', cell: (row) => row.policy },
  { title: 'Decided', cell: (row) => time(row.decided_at) },
  { title: 'Images hit', kind: 'number', cell: (row) => hit(row) },
  { title: 'Timers excluded', kind: 'number', cell: (row) => number(row.timers) },
];

function hit({ images_hit: some, images: all }) {
  return some == null ? pending('Not told.') : `${number(some)} of ${number(all)}`;
}
