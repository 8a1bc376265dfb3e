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

/** The part. */
export function findingsPart(image, { query, signal }) {
  const place = h('div');
  const status = query.get('status');
  const address = `/v1/images/${encodeURIComponent(image.name)}/findings`;
  const fetch = () => get(address, given(query, ['status']), signal);
  load(place, signal, fetch, (page) => {
    if (page.items.length === 0) return nothing(image, status);
    return [
      table(`Findings of ${image.name}`, columns(page.as_of), page.items),
      foot(page, 'findings', query),
    ];
  });
  return [choice(status), place];
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

function columns(asOf) {
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
    { title: 'Deadlines', cell: (row) => due(row, asOf) },
  ];
}

function version(text) {
  return text && h('span', { class: 'sub' }, text);
}

function fix(row) {
  return row.status === 'open' ? h('span', { class: 'quiet' }, 'no fix yet') : none();
}

function due(row, asOf) {
  if (row.status === 'resolved') return ['gone since ', time(row.resolved_at)];
  if (row.status === 'not_affected') return words(row.justification ?? 'not affected');
  return deadlines(row.deadlines, asOf);
}
