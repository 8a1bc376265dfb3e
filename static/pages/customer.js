// One customer: what it is exposed to, what it runs, what was promised, and what it was told.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { number, time } from '../lib/time.js';
import {
  cveLink,
  digest,
  facts,
  imageLink,
  scanState,
  severities,
  severity,
} from '../parts/badges.js';
import { deadlines } from '../parts/deadline.js';
import { given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { COLUMNS as NOTIFICATIONS } from './notifications.js';
import { columns as timerColumns } from './sla/timers.js';
import { violationColumns } from './sla/violations.js';

/** The page. */
export function customer(context) {
  const { tenant } = context.params;
  const base = `/v1/customers/${encodeURIComponent(tenant)}`;
  const part = (address, extra, nothing, noun, columns) => ({ query, signal }) => {
    const place = h('div');
    const fetch = () => get(address, { ...extra, ...given(query, []) }, signal);
    load(place, signal, fetch, (page) => {
      if (page.items.length === 0) return empty(...nothing);
      return [table(noun, columns(page.as_of), page.items), foot(page, noun, query)];
    });
    return place;
  };
  const none = ['Nothing that it runs is known to be vulnerable.', 'As far as scans have looked.'];
  const parts = [
    ['', 'Exposure', part(`${base}/exposure`, {}, none, 'exposures', exposures)],
    ['runs', 'Runs', part(`${base}/usage`, {}, ['It runs nothing now.', ''], 'uses', uses)],
    [
      'timers',
      'Timers',
      part('/v1/sla/timers', { tenant }, ['Nothing is promised.', ''], 'timers', timerColumns),
    ],
    [
      'violations',
      'Violations',
      part('/v1/sla/violations', { tenant }, ['No promise was missed.', ''], 'violations', missed),
    ],
    [
      'told',
      'Notifications',
      part('/v1/notifications', { tenant }, ['It was told nothing.', ''], 'notifications', told),
    ],
  ];
  const title = h('h1', { tabindex: -1 }, tenant);
  const summary = h('div', { class: 'summary' });
  const { menu, place, update: show } = tabs(`Parts of ${tenant}`, parts, []);
  const up = h('p', null, h('a', { href: href('/customers') }, 'Customers'));
  const element = h('div', null, up, title, summary, menu, place);
  let asked;
  const update = (now) => {
    show(now);
    if (asked === now.asOf && !now.again) return;
    asked = now.asOf;
    const fetch = () => get(base, { as_of: now.asOf }, now.signal);
    view.ready = load(summary, now.signal, fetch, (found) => {
      title.textContent = found.name;
      return head(found);
    });
  };
  const view = { title: tenant, element, update };
  update(context);
  return view;
}

function head(found) {
  return facts([
    ['Namespace', h('code', null, found.tenant_namespace)],
    ['Tier', found.sla_tier],
    ['Policy', h('a', { href: href('/sla', { part: 'policies' }) }, found.policy)],
    ['Images', number(found.images)],
    ['Facing the internet', number(found.internet_exposed)],
    ['Contact', [found.contact_name, h('span', { class: 'sub' }, found.contact_email)]],
  ]);
}

function exposures(asOf) {
  return [
    { title: 'CVE', cell: (row) => cveLink(row.cve) },
    { title: 'Severity', cell: (row) => severity(row.severity) },
    { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Version', cell: (row) => [`${row.version} `, digest(row.digest)] },
    { title: 'Where', cell: (row) => `${row.environment} · ${row.cluster}` },
    { title: 'Exposed since', cell: (row) => time(row.exposed_since) },
    { title: 'Fixed in', cell: (row) => fixedIn(row) },
    { title: 'Deadlines', cell: (row) => deadlines(row.deadlines, asOf) },
  ];
}

function fixedIn(row) {
  return row.fixed_in_version == null ? 'no version yet' : `version ${row.fixed_in_version}`;
}

function uses() {
  return [
    { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Version', cell: (row) => [`${row.version} `, digest(row.digest), behind(row)] },
    { title: 'Open findings', cell: (row) => severities(row.findings) },
    { title: 'Scan', cell: (row) => scanState(row) },
    { title: 'How', cell: (row) => (row.mode === 'pin' ? 'pinned' : 'follows the tag') },
    { title: 'Where', cell: (row) => `${row.environment} · ${row.cluster}` },
    { title: 'Replicas', kind: 'number', cell: (row) => number(row.replicas) },
    { title: 'Running since', cell: (row) => time(row.running_since) },
  ];
}

function behind(row) {
  const by = row.current_version == null ? 0 : row.current_version - row.version;
  return by > 0 && h('span', { class: 'sub' }, `${by} behind the current one`);
}

function missed(asOf) {
  return violationColumns(asOf).filter((column) => column.title !== 'Customer');
}

function told() {
  return NOTIFICATIONS.filter((column) => column.title !== 'Customer');
}
