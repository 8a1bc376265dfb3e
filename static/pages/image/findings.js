// What scanners found in the versions of an image, and by when it has to be gone.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { none, time } from '../../lib/time.js';
import { here } from '../../lib/router.js';
import { severity, state, words } from '../../parts/badges.js';
import { deadlines } from '../../parts/deadline.js';
import { given } from '../../parts/filters.js';
import { empty, load } from '../../parts/states.js';
import { foot, table } from '../../parts/table.js';

const STATUSES = ['open', 'resolved', 'not_affected'];

/** As many deadlines of one image as are asked for, the nearest first. */
const DEADLINES = 200;

/** The part. */
export function findingsPart(image, { query, signal }) {
  const place = h('div');
  const status = query.get('status');
  const fetch = () => both(image, query, signal);
  load(place, signal, fetch, ([page, timers]) => {
    if (page.items.length === 0) return nothing(image, status);
    const running = timersByCve(timers.items);
    return [
      table(`Findings of ${image.name}`, columns(page.as_of, running), page.items),
      timers.next_page_token &&
        h('p', { class: 'notice' }, `Only the ${DEADLINES} nearest deadlines are shown.`),
      foot(page, 'findings', query),
    ];
  });
  return [choice(status), place];
}

// Findings, and beside them the clocks that run for them: both of the same instant.
async function both(image, query, signal) {
  const parameters = { ...given(query, ['status']), image: image.name };
  const page = await get('/v1/findings', parameters, signal);
  const asked = { image: image.name, page_size: DEADLINES, as_of: query.get('as_of') };
  return [page, await get('/v1/sla/timers', asked, signal)];
}

function timersByCve(timers) {
  const found = new Map();
  for (const timer of timers) {
    found.set(timer.cve, [...(found.get(timer.cve) ?? []), timer]);
  }
  return found;
}

function choice(now) {
  const link = (value, title) => {
    const address = here({ status: value, page_token: null });
    return h('a', { class: 'button small', href: address, 'aria-current': value === now }, title);
  };
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Findings by status' },
    link(null, 'all'),
    STATUSES.map((status) => link(status, words(status))),
  );
}

function nothing(image, status) {
  if (!image.current) return empty('There is no version yet.', 'Nothing has been scanned.');
  const which = status ? `${words(status)} ` : '';
  return empty(`There are no ${which}findings.`, 'Scanners have found nothing of the kind so far.');
}

function columns(asOf, running) {
  return [
    {
      title: 'CVE',
      cell: (row) => [h('b', null, row.cve), row.known_exploited && ' known exploited'],
    },
    { title: 'Version', kind: 'number', cell: (row) => row.version ?? none() },
    { title: 'Severity', cell: (row) => [severity(row.severity), ` ${row.score ?? ''}`] },
    { title: 'Package', cell: (row) => [row.package, version(row.package_version)] },
    { title: 'Status', cell: (row) => state(row.status) },
    { title: 'Found', cell: (row) => time(row.detected_at) },
    { title: 'Fixed in', cell: (row) => row.fixed_version ?? fix(row) },
    { title: 'Deadlines', cell: (row) => due(row, asOf, running) },
  ];
}

function version(text) {
  return text && h('span', { class: 'sub' }, text);
}

function fix(row) {
  return row.status === 'open' ? h('span', { class: 'quiet' }, 'no fix yet') : none();
}

function due(row, asOf, running) {
  if (row.status === 'resolved') return ['gone since ', time(row.resolved_at)];
  if (row.status === 'not_affected') return words(row.justification ?? 'not affected');
  return deadlines(running.get(row.cve), asOf);
}
