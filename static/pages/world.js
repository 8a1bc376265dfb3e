// The start page: where the world stands, how it came to that, and what can be made to happen.
import { get } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { identity } from '../lib/session.js';
import { ago, number, time } from '../lib/time.js';
import { onWorld, world as watched } from '../lib/world.js';
import { SEVERITIES, cveLink, imageLink, section, words } from '../parts/badges.js';
import { clockControl } from '../parts/clock-control.js';
import { incidentForm } from '../parts/incident-form.js';
import { empty, load } from '../parts/states.js';
import { table } from '../parts/table.js';
import { timeChart } from '../parts/time-chart.js';

/** While the world runs, the page is read anew so often. */
const AGAIN_MS = 5_000;
const EVENTS = 12;

/** The page. */
export function world(context) {
  const figures = h('div');
  const charts = h('div', { class: 'results' });
  const happened = h('div');
  const controls = h('div');
  const element = h(
    'div',
    null,
    h('h1', { tabindex: -1 }, 'World'),
    controls,
    figures,
    charts,
    section('What happened last', happened),
  );
  let now = context;
  let read = 0;
  let shownAt = null;
  const update = (next) => {
    now = next;
    const { asOf, signal } = next;
    read = Date.now();
    shownAt = watched().clock?.materialized_through;
    const asked = { as_of: asOf };
    load(happened, signal, () => events(asked, signal), latest);
    load(figures, signal, () => counts(asked, signal), tiles);
    view.ready = load(charts, signal, () => get('/v1/history', asked, signal), curves);
  };
  const stop = onWorld(({ clock }) => {
    const moved = clock?.materialized_through && clock.materialized_through !== shownAt;
    if (now.asOf || !moved || Date.now() - read < AGAIN_MS) return;
    update(now);
  });
  const leaving = new AbortController();
  if (identity()?.role === 'admin' && identity().tenant == null) {
    const again = () => setTimeout(() => update(now), 1_000);
    const summary = h('summary', null, 'Make something happen');
    const form = h('details', { class: 'panel' }, summary, incidentForm(again));
    put(controls, section('Clock', clockControl(leaving.signal)), form);
  }
  const leave = () => {
    stop();
    leaving.abort();
  };
  const view = { title: 'World', element, update, leave };
  update(context);
  return view;
}

async function counts(asked, signal) {
  const total = async (path, parameters) => {
    const page = await get(path, { ...asked, ...parameters, page_size: 1 }, signal);
    return page.total;
  };
  const [history, atRisk, overdue, images] = await Promise.all([
    get('/v1/history', { ...asked, points: 2 }, signal),
    total('/v1/sla/timers', { state: 'at_risk' }),
    total('/v1/sla/timers', { state: 'overdue' }),
    total('/v1/images', {}),
  ]);
  return { history, atRisk, overdue, images };
}

function tiles({ history, atRisk, overdue, images }) {
  const last = (values) => values.at(-1);
  const some = ({ count, exact }) => `${exact ? '' : 'over '}${number(count)}`;
  const findings = SEVERITIES.map((name) => [
    `open ${name} findings`,
    number(last(history.open_findings[name])),
    href('/images', { severity: name }),
    name,
  ]);
  const builds = (status) => href('/builds', { status });
  const rest = [
    ['deadlines at risk', some(atRisk), href('/sla', { part: 'timers', state: 'at_risk' })],
    ['deadlines missed', some(overdue), href('/sla', { part: 'timers', state: 'overdue' })],
    ['builds running', number(last(history.builds_running)), builds('running')],
    ['builds waiting', number(last(history.builds_waiting)), builds('pending')],
    ['images', some(images), href('/images')],
  ];
  const tile = ([title, value, address, tone]) => {
    const content = [h('b', { class: tone }, value), h('span', null, title)];
    return h('li', null, h('a', { href: address }, content));
  };
  return h('ul', { class: 'tiles' }, [...findings, ...rest].map(tile));
}

function curves(history) {
  const findings = SEVERITIES.map((name) => ({
    name,
    tone: name,
    values: history.open_findings[name],
  }));
  const builds = [
    { name: 'running', tone: 'running', values: history.builds_running },
    { name: 'waiting', tone: 'waiting', values: history.builds_waiting },
  ];
  const missed = { name: 'past their deadline', tone: 'critical', values: history.overdue_timers };
  const { instants } = history;
  return [
    section(
      'Open findings',
      h('p', { class: 'quiet' }, 'An image and a CVE each. Choose an instant to go there.'),
      timeChart('Open findings by severity', instants, findings, { stacked: true }),
    ),
    h(
      'div',
      { class: 'pair' },
      section('Builds', timeChart('Builds that run and wait', instants, builds)),
      section('Missed deadlines', timeChart('Timers past their deadline', instants, [missed])),
    ),
  ];
}

async function events(asked, signal) {
  return get('/v1/timeline', { ...asked, page_size: EVENTS }, signal);
}

function latest(page) {
  if (page.items.length === 0) return empty('Nothing has happened yet.', 'Let the clock run.');
  const columns = [
    { title: 'What', cell: (row) => words(row.kind) },
    { title: 'About', cell: about },
    { title: 'Tenant', cell: (row) => row.tenant_namespace },
    { title: 'At', cell: (row) => [time(row.at), sub(ago(row.at, page.as_of))] },
  ];
  return table('What happened last', columns, page.items);
}

function sub(content) {
  return h('span', { class: 'sub' }, content);
}

function about(row) {
  const version = row.version != null && ` version ${row.version}`;
  const parts = [row.image && [imageLink(row.image), version], row.cve && cveLink(row.cve)];
  const shown = parts.filter(Boolean);
  return shown.length > 0 ? shown.map((part) => [part, ' ']) : words(row.data?.kind ?? '');
}
