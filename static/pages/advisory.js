// One CVE: from its disclosure to the last customer that has adopted the fix.
import { get } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { none, number, time } from '../lib/time.js';
import {
  customerLink,
  digest,
  facts,
  imageLink,
  pending,
  section,
  severity,
  state,
  words,
} from '../parts/badges.js';
import { deadlines } from '../parts/deadline.js';
import { given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { legend, line } from '../parts/story.js';
import { foot, table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';
import { fix } from './advisories.js';

/** So many lines of a story are drawn at most. */
const LINES = 200;

/** The page. */
export function advisory(context) {
  const { cve } = context.params;
  const base = `/v1/advisories/${encodeURIComponent(cve)}`;
  const summary = h('div', { class: 'summary' });
  let known = null;
  const parts = [
    ['', 'Story', (now) => story(cve, known, now)],
    ['images', 'Images', (now) => images(cve, now)],
    ['exposure', 'Exposed customers', (now) => exposure(base, now)],
    ['packages', 'Packages', () => packages(known)],
  ];
  const { menu, place, update: show } = tabs(`Parts of ${cve}`, parts, []);
  const up = h('p', null, h('a', { href: href('/advisories') }, 'CVEs'));
  const element = h('div', null, up, h('h1', { tabindex: -1 }, cve), summary, menu, place);
  const update = (now) => {
    const same = known && known.asked === now.asOf && !now.again;
    if (same) return show(now);
    put(place);
    const fetch = () => get(base, { as_of: now.asOf }, now.signal);
    view.ready = load(summary, now.signal, fetch, (found) => {
      known = { ...found, asked: now.asOf };
      show(now);
      return head(found);
    });
    return view.ready;
  };
  const view = { title: cve, element, update };
  update(context);
  return view;
}

function head(found) {
  const counts = [
    `${number(found.images_open)} open`,
    `${number(found.images_fixed)} fixed`,
    `${number(found.images_not_affected)} not affected`,
  ].join(', ');
  const unseen = found.scan === 'pending';
  return facts([
    ['Severity', [severity(found.severity), ` ${found.score.toFixed(1)}`]],
    ['Vector', h('code', null, found.vector)],
    ['Exploited', found.known_exploited ? 'known to be' : 'not known to be'],
    ['Disclosed', time(found.published_at)],
    ['Detectable', found.detectable_at ? time(found.detectable_at) : 'not yet'],
    ['Fix available', fix(found.fix_available_at)],
    ['Images', unseen ? pending('No scan has looked for it yet.') : counts],
  ]);
}

// A line for each image that a customer runs and each promise about it, drawn from its two clocks.
function story(cve, known, { asOf, signal }) {
  const place = h('div');
  const timers = { cve, as_of: asOf, page_size: LINES };
  // Those that have stopped are asked for apart.
  const fetch = async () => {
    const asked = [null, 'stopped', 'excluded'].map((state) =>
      get('/v1/sla/timers', { ...timers, state }, signal),
    );
    const pages = await Promise.all(asked);
    return {
      items: pages.flatMap((page) => page.items),
      next_page_token: pages.some((page) => page.next_page_token),
    };
  };
  load(place, signal, fetch, (page) => {
    const events = table('What happened', eventColumns(known.timeline), known.timeline);
    if (page.items.length === 0) {
      const nobody = 'Nobody to whom something is promised has been found to run it.';
      return [section('What happened', events), empty('No customer has been exposed.', nobody)];
    }
    const rows = stories(page.items);
    const some = h('p', { class: 'quiet' }, `Not all: ${number(LINES)} of each kind.`);
    const more = page.next_page_token && some;
    return [
      section('What happened', events),
      section('Image by image, customer by customer', legend(), drawn(known, rows), more),
    ];
  });
  return place;
}

function eventColumns(events) {
  const ofPackages = events.some((event) => event.package);
  const columns = [
    { title: 'Event', cell: (row) => words(row.event) },
    ofPackages && { title: 'Package', cell: (row) => row.package ?? none() },
    ofPackages && { title: 'Version', cell: (row) => row.version ?? none() },
    { title: 'At', cell: (row) => time(row.at) },
  ];
  return columns.filter(Boolean);
}

function stories(timers) {
  const rows = new Map();
  for (const timer of timers) {
    const key = [timer.tenant_namespace, timer.image, timer.episode].join(' ');
    const row = rows.get(key) ?? { ...timer, clocks: {} };
    row.clocks[timer.clock] = timer;
    rows.set(key, row);
  }
  return [...rows.values()];
}

function drawn(known, rows) {
  const until = lastDue(known, rows);
  const columns = [
    { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Customer', cell: (row) => customerLink(row.tenant_namespace, row.customer) },
    { title: 'Story', cell: (row) => lane(known, row.clocks, until) },
    { title: 'Provider clock', cell: ({ clocks }) => standing(clocks.provider) },
    { title: 'Customer clock', cell: ({ clocks }) => standing(clocks.customer) },
  ];
  return table('The story of each image and customer', columns, rows);
}

// Deadlines that lie ahead are drawn as well, but take no more than half of the picture.
function lastDue(known, rows) {
  const [from, now] = [Date.parse(known.published_at), Date.parse(known.as_of)];
  const dues = rows.flatMap(({ clocks }) => Object.values(clocks).map((timer) => timer.due_at));
  const last = Math.max(now, ...dues.filter(Boolean).map((due) => Date.parse(due)));
  return new Date(Math.min(last, now + (now - from))).toISOString();
}

function lane(known, { provider, customer }, until) {
  const either = customer ?? provider;
  const marks = [
    ['found', either.opened_at],
    ['fix', known.fix_available_at],
    ['due', either.due_at],
    ['published', provider?.stopped_at],
    ['adopted', customer?.stopped_at],
  ];
  return line([known.published_at, known.as_of, until], marks, either.stopped_at ?? null);
}

function standing(timer) {
  if (!timer) return h('span', { class: 'quiet' }, 'nothing promised');
  if (!timer.stopped_at) return state(timer.state);
  const late = timer.due_at && Date.parse(timer.stopped_at) > Date.parse(timer.due_at);
  const reason = words(timer.stop_reason ?? 'stopped');
  const tone = late ? 'bad' : 'good';
  return h('span', { class: `state ${tone}` }, late ? `${reason}, late` : reason);
}

function images(cve, { query, signal }) {
  const place = h('div');
  const fetch = () => get('/v1/findings', { cve, ...given(query, []) }, signal);
  load(place, signal, fetch, (page) => {
    if (page.items.length === 0) {
      return empty('It has been found on no image.', 'Either none has it, or no scan has looked.');
    }
    return [table('Findings', FINDINGS, page.items), foot(page, 'findings', query)];
  });
  return place;
}

const FINDINGS = [
  { title: 'Image', cell: (row) => imageLink(row.image, { part: 'findings' }) },
  { title: 'Version', cell: (row) => [`${row.version} `, digest(row.digest)] },
  { title: 'Package', cell: (row) => [row.package, ` ${row.package_version ?? ''}`] },
  { title: 'This version', cell: (row) => state(row.status) },
  { title: 'The image', cell: (row) => state(row.image_status) },
  { title: 'Found', cell: (row) => time(row.detected_at) },
  { title: 'Fixed in', cell: (row) => fixedIn(row) },
];

function fixedIn(row) {
  if (row.fixed_in_version == null) return row.image_status === 'open' ? 'not yet' : none();
  return [`version ${row.fixed_in_version} `, h('span', { class: 'sub' }, time(row.fixed_in_at))];
}

function exposure(base, { query, signal }) {
  const place = h('div');
  const fetch = () => get(`${base}/exposure`, given(query, []), signal);
  load(place, signal, fetch, (page) => {
    if (page.items.length === 0) {
      const why = page.scan === 'complete' ? 'All have adopted a fix.' : 'Scans are still to come.';
      return empty('No customer runs it now.', why);
    }
    return [table('Exposed customers', exposed(page.as_of), page.items), foot(page, 'uses', query)];
  });
  return place;
}

function exposed(asOf) {
  return [
    { title: 'Customer', cell: (row) => customerLink(row.tenant_namespace, row.customer) },
    { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Version', cell: (row) => [`${row.version} `, digest(row.digest)] },
    { title: 'Where', cell: (row) => `${row.environment} · ${row.cluster}` },
    { title: 'Internet', cell: (row) => (row.internet_exposed ? 'exposed' : 'not exposed') },
    { title: 'Exposed since', cell: (row) => time(row.exposed_since) },
    { title: 'Deadlines', cell: (row) => deadlines(row.deadlines, asOf) },
  ];
}

function packages(known) {
  return table('Packages', PACKAGES, known.affected);
}

const PACKAGES = [
  { title: 'Package', cell: (row) => row.package },
  { title: 'From version', cell: (row) => row.introduced_version },
  { title: 'Fixed in', cell: (row) => row.fixed_version ?? 'no version yet' },
  { title: 'Fixed at', cell: (row) => fix(row.fixed_at) },
];
