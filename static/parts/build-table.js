// Builds as a table, for all of them and for those of one image.
import { h } from '../lib/dom.js';
import { between, none, time } from '../lib/time.js';
import { buildLink, imageLink, state, words } from './badges.js';
import { table } from './table.js';

/** How far a build can be. */
export const BUILD_STATUSES = [
  'pending',
  'running',
  'finishing',
  'completed',
  'unchanged',
  'superseded',
  'merged',
  'failed',
];

/** What can ask for a build. */
export const BUILD_TRIGGERS = [
  'cve_fix', 'manual', 'upstream', 'base_change', 'cron', 'retry', 'bootstrap',
];

/** A table of builds, with the image's name where they are not all of one. */
export function buildTable(caption, builds, withImage) {
  const columns = [
    { title: 'Build', cell: (row) => buildLink(row.id) },
    withImage && { title: 'Image', cell: (row) => imageLink(row.image) },
    { title: 'Status', cell: (row) => state(row.status) },
    { title: 'Asked for by', cell: cause },
    { title: 'Requested', cell: (row) => time(row.requested_at) },
    { title: 'Took', kind: 'number', cell: took },
    { title: 'Version', kind: 'number', cell: (row) => row.version ?? none() },
  ];
  return table(caption, columns.filter(Boolean), builds);
}

/** What asked for a build, with its particulars. */
export function cause(build) {
  const {
    cve,
    package: name,
    package_version: version,
    base,
    base_version: baseVersion,
  } = build.cause;
  const parts = [
    cve,
    name && (version ? `${name} ${version}` : name),
    base && (baseVersion ? `${base} version ${baseVersion}` : base),
    build.cause.revision,
    build.cause.requested_by && `by ${build.cause.requested_by}`,
    build.cause.retry_of && `of build ${build.cause.retry_of}`,
  ].filter(Boolean);
  return [words(build.trigger), parts.length > 0 && h('span', { class: 'sub' }, parts.join(', '))];
}

function took(build) {
  if (!build.started_at || !build.finished_at) return none();
  return between(build.started_at, build.finished_at);
}
