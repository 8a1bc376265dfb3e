// Deadlines of service levels: how long is left, in simulated time, clock by clock.
import { h } from '../lib/dom.js';
import { span, stamp } from '../lib/time.js';
import { words } from './badges.js';

/** So many are shown; the rest is counted. */
const SHOWN = 4;

/** What the two clocks wait for. */
const CLOCKS = {
  provider: 'until a fixed image is published',
  customer: 'until the customer runs the fixed image',
};

/** The running deadlines of a finding, the nearest first. */
export function deadlines(list, asOf) {
  if (!list || list.length === 0) return h('span', { class: 'quiet' }, 'no deadline');
  const far = (timer) => (timer.due_at ? Date.parse(timer.due_at) : Infinity);
  const sorted = [...list].sort((one, other) => far(one) - far(other));
  const shown = sorted.slice(0, SHOWN).map((timer) => h('li', null, deadline(timer, asOf)));
  const more = list.length - shown.length;
  return h(
    'ul',
    { class: 'deadlines' },
    shown,
    more > 0 && h('li', { class: 'quiet' }, `and ${more} later ones`),
  );
}

/** One deadline: its clock, whose it is, and what is left of it. */
export function deadline(timer, asOf) {
  const who = timer.customer ?? timer.tenant_namespace;
  return [
    h('span', { title: CLOCKS[timer.clock] }, `${timer.clock} clock`),
    who && h('span', { class: 'quiet' }, who),
    left(timer, asOf),
  ];
}

function left(timer, asOf) {
  if (timer.stopped_at || timer.state === 'stopped') {
    const how = timer.stop_reason ? `: ${words(timer.stop_reason)}` : '';
    return h('span', { class: 'quiet' }, `stopped${how}`);
  }
  if (timer.state === 'excluded' || timer.excluded)
    return h('span', { class: 'quiet' }, 'excluded');
  if (!timer.due_at) return h('span', { class: 'quiet' }, 'paused: no fix exists');
  const rest = Date.parse(timer.due_at) - Date.parse(asOf);
  const title = `due ${stamp(timer.due_at, true)} UTC`;
  const time = (text, tone) => h('time', { datetime: timer.due_at, title, class: tone }, text);
  if (rest < 0) return time(`overdue by ${span(rest)}`, 'overdue');
  const risky = timer.state === 'at_risk';
  return time(
    risky ? `at risk: ${span(rest)} left` : `${span(rest)} left`,
    risky ? 'at-risk' : null,
  );
}
