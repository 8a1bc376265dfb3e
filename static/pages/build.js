// One build: how far it is, what asked for it, what it made, and its log. While it is not over the
// page follows it.
import { get, text } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { between, size, time } from '../lib/time.js';
import { onWorld } from '../lib/world.js';
import { buildLink, digest, facts, imageLink, section, state } from '../parts/badges.js';
import { cause } from '../parts/build-table.js';
import { saveButton } from '../parts/save.js';
import { empty, load } from '../parts/states.js';
import { table } from '../parts/table.js';

/** A build that is one of these may still become another. */
const OPEN = ['pending', 'running', 'finishing'];
/** As much of a log as the page shows. */
const LOG_BYTES = 512 * 1024;
/** How often a build that is not over is looked at. */
const LOOK_AGAIN_MS = 1500;

/** The page. */
export function build({ params, asOf, signal }) {
  const content = h('div', { class: 'results' });
  const element = h('div', null, h('h1', { tabindex: -1 }, `Build #${params.id}`), content);
  const address = `/v1/builds/${encodeURIComponent(params.id)}`;
  let shown = null;
  let looked = 0;
  const show = (build) => {
    shown = build;
    return details(build, asOf, signal);
  };
  const look = () => {
    looked = Date.now();
    return load(content, signal, () => get(address, { as_of: asOf }, signal), show);
  };
  // The world moves: so may the build.
  let timer = 0;
  const stop = onWorld(() => {
    const follows = shown && !asOf && OPEN.includes(shown.status);
    if (!follows || timer) return;
    const wait = Math.max(0, looked + LOOK_AGAIN_MS - Date.now());
    timer = setTimeout(() => {
      timer = 0;
      look();
    }, wait);
  });
  const leave = () => {
    stop();
    clearTimeout(timer);
  };
  return { title: `Build ${params.id}`, element, leave, ready: look() };
}

function details(build, asOf, signal) {
  return [
    build.failure &&
      h('div', { class: 'notice bad' }, h('strong', null, 'Failed: '), build.failure),
    section('What happened', steps(build), particulars(build)),
    build.finished_at && section('Documents', documents(build, asOf, signal)),
    section('Log', log(build, signal)),
  ];
}

function steps(build) {
  const step = (title, at, before) =>
    h(
      'li',
      { class: at ? 'done' : 'open' },
      h('span', { class: 'step' }, title),
      at ? time(at) : h('span', { class: 'quiet' }, 'not yet'),
      at && before && h('span', { class: 'quiet' }, `after ${between(before, at)}`),
    );
  return h(
    'ol',
    { class: 'steps' },
    step('requested', build.requested_at, null),
    build.status !== 'merged' && step('started', build.started_at, build.requested_at),
    step('ended', build.finished_at, build.started_at),
  );
}

function particulars(build) {
  return facts([
    ['Status', h('span', { role: 'status' }, state(build.status))],
    ['Image', imageLink(build.image)],
    ['Asked for by', cause(build)],
    ['Attempts', build.attempts],
    ['Builder', build.builder],
    ['Covered by', build.merged_into == null ? null : buildLink(build.merged_into)],
    ['Version', build.version],
    ['Digest', build.digest && digest(build.digest)],
  ]);
}

function documents(build, asOf, signal) {
  const place = h('div');
  const fetch = () => get(build.artifacts_href, { as_of: asOf }, signal);
  load(place, signal, fetch, ({ items }) => {
    if (items.length === 0) return empty('There is no document.', 'This build stored none.');
    const columns = [
      { title: 'Document', cell: (row) => row.kind },
      { title: 'Media type', cell: (row) => h('code', null, row.media_type) },
      { title: 'SHA-256', cell: (row) => digest(row.sha256) },
      { title: 'Size', kind: 'number', cell: (row) => size(row.bytes) },
      {
        title: 'Get it',
        cell: (row) => saveButton(row.href, row.kind, null),
      },
    ];
    return table('Documents of this build', columns, items);
  });
  return place;
}

function log(build, signal) {
  if (build.merged_into != null) {
    const other = buildLink(build.merged_into);
    return empty('This build has no log of its own.', 'It was merged into build ', other, '.');
  }
  if (!build.log_href) {
    return empty('There is no log yet.', 'It is stored when the build has ended.');
  }
  const place = h('div');
  load(
    place,
    signal,
    () => text(build.log_href, LOG_BYTES, signal),
    (read) => [
      h('pre', { class: 'log', tabindex: 0, role: 'region', 'aria-label': 'Log' }, read.text),
      !read.whole && h('p', { class: 'notice' }, `Only the first ${size(LOG_BYTES)} are shown.`),
      saveButton(build.log_href, 'the log', `${build.image}-build-${build.id}.log`, true),
    ],
  );
  return place;
}
