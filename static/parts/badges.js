// The small things that stand in many places: severities, states, levels, digests. Colour never
// stands alone: there is always a word.
import { h } from '../lib/dom.js';
import { none, time } from '../lib/time.js';
import { href, path } from '../lib/router.js';

/** From the worst. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low'];

/** One severity. */
export function severity(name) {
  return h('span', { class: `badge ${SEVERITIES.includes(name) ? name : ''}` }, name);
}

/** Something that nobody has looked at yet: unknown, which is neither good nor bad. */
export function pending(title) {
  return h('span', { class: 'state', title }, 'pending');
}

/**
 * What scans had seen of a version: `scan` and `scanned_at` of it. While that is pending, nothing
 * found says nothing; when it is outdated, there may be more.
 */
export function scanState({ scan, scanned_at: at }) {
  if (scan === 'pending') return pending('No scan has reported yet.');
  const shown = scan === 'complete' ? 'good' : 'warn';
  const title = scan === 'complete' ? null : 'Advisories have become detectable since.';
  return [h('span', { class: `state ${shown}`, title }, words(scan)), ' ', time(at)];
}

/** How many of each severity are open, only those that are; without counts nobody has looked. */
export function severities(counts) {
  if (!counts) return h('span', { class: 'state' }, 'scan pending');
  const open = SEVERITIES.filter((name) => counts[name] > 0);
  if (open.length === 0) return h('span', { class: 'quiet' }, 'none open');
  const badges = open.map((name) =>
    h('li', { class: `badge ${name}` }, h('b', null, counts[name]), ` ${name}`),
  );
  return h('ul', { class: 'badges' }, badges);
}

const GOOD = ['active', 'completed', 'fixed', 'resolved', 'met', 'stopped', 'running'];
const BAD = ['failed', 'overdue', 'breached'];
const WARN = ['at_risk', 'end_of_life', 'open'];

/** A state: a dot and a word. */
export function state(name) {
  const tone = GOOD.includes(name) ? 'good' : BAD.includes(name) ? 'bad' : '';
  const shown = WARN.includes(name) ? 'warn' : tone;
  return h('span', { class: `state ${shown}` }, words(name));
}

/** `at_risk` as people write it. */
export function words(name) {
  return String(name).replaceAll('_', ' ');
}

/** The SLSA build level of a version; one that is not assessed yet is not 0. */
export function level(value) {
  if (value === null || value === undefined) return pending('The level is not assessed yet.');
  return h('span', { class: `badge level level-${value}` }, `SLSA ${value}`);
}

/** A digest: its beginning, and all of it on request. */
export function digest(value) {
  if (!value) return none();
  const hash = value.replace(/^sha256:/, '');
  return h('code', { class: 'digest', title: value }, hash.slice(0, 12));
}

/** A link to an image. */
export function imageLink(name, query = {}) {
  return h('a', { href: href(path('images', name), query) }, name);
}

/** A link to a CVE. */
export function cveLink(cve) {
  return h('a', { class: 'whole', href: href(path('advisories', cve)) }, cve);
}

/** A link to a customer. */
export function customerLink(tenant, name = tenant) {
  return h('a', { href: href(path('customers', tenant)) }, name);
}

/** A link to a build. */
export function buildLink(id) {
  return h('a', { href: href(path('builds', id)) }, `#${id}`);
}

/** Terms and what they are; those without a value are left out. */
export function facts(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined);
  return h(
    'dl',
    { class: 'facts' },
    shown.map(([term, value]) => h('div', null, h('dt', null, term), h('dd', null, value))),
  );
}

/** A section with a heading. */
export function section(title, ...content) {
  return h('section', { class: 'panel' }, h('h2', null, title), content);
}
