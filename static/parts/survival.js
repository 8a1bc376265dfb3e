// Kaplan-Meier curves: the share that is still open so long after it was found, with the days that
// policies promise.
import { h, svg } from '../lib/dom.js';
import { SEVERITIES } from './badges.js';
import { table } from './table.js';

const [WIDTH, HEIGHT] = [680, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 84, 10, 34];

/**
 * `curves` as GET /v1/sla/remediation gives them; `promised(severity)` is a list of days. The table
 * below says the same in numbers.
 */
export function survival(curves, promised) {
  const seen = curves.filter((curve) => curve.exposures > 0);
  // A promise that lies far behind everything seen is told by the table alone.
  const last = Math.max(1, ...seen.map(lastDay)) * 1.25;
  const within = (name) => promised(name).filter((day) => day <= last * 1.5);
  const days = Math.max(last, ...seen.flatMap((curve) => within(curve.severity)));
  const x = (day) => LEFT + (day / days) * (WIDTH - LEFT - RIGHT);
  const y = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const box = { class: 'survival', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' };
  const lines = seen.map((curve) => drawn(curve, x, y, days, within));
  const picture = svg('svg', box, axes(x, y, days), lines);
  const columns = [
    { title: 'Severity', cell: (row) => row.severity },
    { title: 'Exposures', kind: 'number', cell: (row) => row.exposures },
    { title: 'Ended', kind: 'number', cell: (row) => row.ended },
    { title: 'Open', kind: 'number', cell: (row) => row.open },
    { title: 'Median', kind: 'number', cell: (row) => median(row) },
    { title: 'Promised', kind: 'number', cell: (row) => said(promised(row.severity)) },
  ];
  return h('div', { class: 'chart' }, picture, table('Time until an exposure ends', columns, seen));
}

function lastDay(curve) {
  return (curve.steps.at(-1)?.hours ?? 0) / 24;
}

function median(curve) {
  return curve.median_hours == null ? 'not reached' : `${(curve.median_hours / 24).toFixed(1)} d`;
}

function said(days) {
  return days.length > 0 ? `${days.join(', ')} d` : 'nothing';
}

function axes(x, y, days) {
  const step = [1, 2, 5, 7, 14, 30, 60, 90].find((each) => days / each <= 10) ?? 180;
  const marks = [];
  for (let day = 0; day <= days; day += step) marks.push(day);
  const place = { 'text-anchor': 'middle', y: HEIGHT - BOTTOM + 16 };
  return [
    [0, 0.25, 0.5, 0.75, 1].map((share) => [
      svg('path', { class: 'grid', d: `M${LEFT} ${y(share)}H${WIDTH - RIGHT}` }),
      svg('text', { x: LEFT - 6, y: y(share) + 4, 'text-anchor': 'end' }, `${share * 100} %`),
    ]),
    marks.map((day) => svg('text', { ...place, x: x(day) }, day)),
    svg('text', { x: WIDTH - RIGHT, y: HEIGHT - 2, 'text-anchor': 'end' }, 'days since found'),
  ];
}

function drawn(curve, x, y, days, within) {
  let path = `M${x(0)} ${y(1)}`;
  for (const step of curve.steps) path += `H${x(step.hours / 24)}V${y(step.survival)}`;
  const last = curve.steps.at(-1)?.survival ?? 1;
  path += `H${x(Math.min(days, lastDay(curve) * 1.1))}`;
  const dash = SEVERITIES.indexOf(curve.severity);
  const limits = within(curve.severity).map((day) => [
    svg('path', { class: `limit ${curve.severity} dash-${dash}`, d: `M${x(day)} ${y(1)}V${y(0)}` }),
    svg('text', { x: x(day) + 3, y: y(1) + 10 + dash * 13 }, `${curve.severity} ${day} d`),
  ]);
  return [
    limits,
    svg('path', { class: `curve ${curve.severity} dash-${dash}`, d: path }),
    svg('text', { x: x(lastDay(curve)) + 8, y: y(last) - 4 }, curve.severity),
  ];
}
