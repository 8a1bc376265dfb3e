// The SLA board: what was promised, what was kept, what is due, and how late.
import { h } from '../lib/dom.js';
import { tabs } from '../parts/tabs.js';
import { boardPart } from './sla/board.js';
import { policiesPart } from './sla/policies.js';
import { timersPart } from './sla/timers.js';
import { violationsPart } from './sla/violations.js';

const PARTS = [
  ['', 'Board', boardPart],
  ['timers', 'Timers', timersPart],
  ['violations', 'Violations', violationsPart],
  ['policies', 'Policies', policiesPart],
];

/** The page. */
export function sla(context) {
  const filtered = ['clock', 'severity', 'state', 'tenant', 'image', 'cve', 'order_by', 'days'];
  const { menu, place, update: show } = tabs('Parts of the SLA board', PARTS, filtered);
  const element = h('div', null, h('h1', { tabindex: -1 }, 'SLA board'), menu, place);
  const update = (now) => {
    const title = show(now);
    view.title = now.query.get('part') ? `SLA: ${title.toLowerCase()}` : 'SLA board';
  };
  const view = { title: 'SLA board', element, update };
  update(context);
  return view;
}
