// What scanners found in the versions of an image, and by when it has to be gone.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { none, time } from '../../lib/time.js';
import { here } from '../../lib/router.js';
import { pending, severity, state, words } from '../../parts/badges.js';
import { deadlines } from '../../parts/deadline.js';
import { given } from '../../parts/filters.js';
import { empty, load } from '../../parts/states.js';
import { foot, table } from '../../parts/table.js';

/** What a finding says of the image; of the version that it is on, its `status` says it. */
const STATUSES = [
  ['open', 'open'],
  ['fixed', 'fixed in a later version'],
  ['not_affected', 'not affected'],
];

/** The part. */
export function findingsPart(image, { query, signal }) {
  const place = h('div');
  const status = query.get('image_status');
  const address = `/v1/images/${encodeURIComponent(image.name)}/findings`;
  const fetch = () => get(address, given(query, ['image_status']), signal);
  load(place, signal, fetch, (page) => {
    if (page.items.length === 0) return nothing(page, status);
    return [
      page.scan === 'pending' && unknown(image),
      table(`Findings of ${image.name}`, columns(page), page.items),
      foot(page, 'findings', query),
    ];
  });
  return [choice(status), place];
}

function choice(now) {
  const link = (value, title) => {
    const address = here({ image_status: value, page_token: null });
    return h('a', { class: 'button small', href: address, 'aria-current': value === now }, title);
  };
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Findings by status' },
    link(null, 'all'),
    STATUSES.map(([status, title]) => link(status, title)),
  );
}

function unknown(image) {
  const which = `Version ${image.current.version} is not scanned yet.`;
  return h('p', { class: 'hint' }, which, ' What it has is unknown; what follows is older.');
}

function nothing({ scan }, status) {
  if (!scan) return empty('There is no version yet.', 'Nothing has been scanned.');
  if (scan === 'pending') {
    return empty('The scan is pending.', 'What the current version has is unknown until then.');
  }
  const which = status ? `${words(status)} ` : '';
  return empty(`There are no ${which}findings.`, 'Scanners have found nothing of the kind so far.');
}

function columns(page) {
  return [
    {
      title: 'CVE',
      cell: (row) => [h('b', null, row.cve), row.known_exploited && ' known exploited'],
    },
    { title: 'Version', kind: 'number', cell: (row) => row.version ?? none() },
    { title: 'Severity', cell: (row) => [severity(row.severity), ` ${row.score ?? ''}`] },
    { title: 'Package', cell: (row) => [row.package, version(row.package_version)] },
    { title: 'Of the version', cell: (row) => state(row.status) },
    { title: 'Of the image', cell: (row) => ofImage(row) },
    { title: 'Found', cell: (row) => time(row.detected_at) },
    { title: 'Package fix', cell: (row) => row.fixed_version ?? fix(row) },
    { title: 'Deadlines', cell: (row) => due(row, page) },
  ];
}

function version(text) {
  return text && h('span', { class: 'sub' }, text);
}

function fix(row) {
  return row.status === 'open' ? h('span', { class: 'quiet' }, 'no fix yet') : none();
}

function ofImage(row) {
  if (row.image_status !== 'fixed') return state(row.image_status);
  return [
    state('fixed'),
    h('span', { class: 'sub' }, `in version ${row.fixed_in_version}, `, time(row.fixed_in_at)),
  ];
}

function due(row, { as_of: asOf, evaluated_at: evaluated }) {
  if (row.status === 'not_affected') return words(row.justification ?? 'not affected');
  if (!evaluated) return pending('No evaluation has looked for deadlines yet.');
  return deadlines(row.deadlines, asOf);
}
