// Deadlines of service levels: how long is left, in simulated time, clock by clock.
import { h } from '../lib/dom.js';
import { span, stamp } from '../lib/time.js';

/** What the two clocks wait for. */
const CLOCKS = {
  provider: 'until a fixed image is published',
  customer: 'until the customer runs the fixed image',
};

/** The nearest deadline of a finding, clock by clock. */
export function deadlines(list, asOf) {
  if (!list || list.length === 0) return h('span', { class: 'quiet' }, 'no deadline');
  return h(
    'ul',
    { class: 'deadlines' },
    list.map((near) => h('li', null, deadline(near, asOf))),
  );
}

function deadline(near, asOf) {
  return [
    h('span', { title: CLOCKS[near.clock] }, `${near.clock} clock`),
    left(near, asOf),
  ];
}

function left(timer, asOf) {
  if (timer.state === 'excluded') return h('span', { class: 'quiet' }, 'excluded');
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
