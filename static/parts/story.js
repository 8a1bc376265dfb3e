// What became of an advisory, a line each: when it was found, when a fix was published and adopted,
// and when that was due. All lines have one scale of time, from the disclosure on.
import { h, svg } from '../lib/dom.js';
import { span, stamp } from '../lib/time.js';

const WIDTH = 600;
const HEIGHT = 22;

/** What can be marked: the shape says it without colour. */
const MARKS = {
  found: { word: 'found', draw: (x) => svg('circle', { class: 'found', cx: x, cy: 11, r: 4 }) },
  fix: { word: 'fix available', draw: (x) => triangle('fix', x) },
  published: { word: 'fixed image published', draw: (x) => square('published', x) },
  adopted: { word: 'adopted', draw: (x) => diamond('adopted', x) },
  due: { word: 'due', draw: (x) => svg('path', { class: 'due', d: `M${x} 1v20` }) },
};

/** What the shapes mean. */
export function legend() {
  const one = ({ word, draw }) =>
    h('li', null, svg('svg', { viewBox: '0 0 22 22', 'aria-hidden': 'true' }, draw(11)), word);
  return h('ul', { class: 'story-legend' }, Object.values(MARKS).map(one));
}

/**
 * A line on a scale `[from, now, until]`: `marks` are `[kind, instant]`, `ends` is the instant up
 * to which it was open, or null while it still is. What is due later than the scale is not drawn.
 */
export function line([from, now, until], marks, ends) {
  const first = Date.parse(from);
  const whole = Math.max(Date.parse(until) - first, 1);
  const x = (instant) => {
    const share = (Date.parse(instant) - first) / whole;
    return (Math.min(Math.max(share, 0), 1) * (WIDTH - 16) + 8).toFixed(1);
  };
  const known = marks.filter(([, instant]) => instant && Date.parse(instant) <= first + whole);
  const begun = known.find(([kind]) => kind === 'found')?.[1] ?? from;
  const open = svg('path', {
    class: ends ? 'closed' : 'open',
    d: `M${x(begun)} 11H${x(ends ?? now)}`,
  });
  const words = known.map(([kind, at]) => `${MARKS[kind].word} ${after(from, at)}`);
  words.push(ends ? 'closed' : 'still open');
  const box = { class: 'story', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' };
  const drawn = known.map(([kind, at]) => {
    const title = svg('title', null, `${MARKS[kind].word}: ${stamp(at)} UTC, ${after(from, at)}`);
    return svg('g', null, MARKS[kind].draw(Number(x(at))), title);
  });
  const ground = svg('path', { class: 'ground', d: `M8 11H${WIDTH - 8}` });
  return svg('svg', { ...box, 'aria-label': words.join(', ') }, ground, open, drawn);
}

function after(from, at) {
  const passed = Date.parse(at) - Date.parse(from);
  return passed < 0 ? `${span(passed)} before` : `after ${span(passed)}`;
}

function triangle(name, x) {
  return svg('path', { class: name, d: `M${x} 5l5 10h-10z` });
}

function square(name, x) {
  return svg('rect', { class: name, x: x - 4, y: 7, width: 8, height: 8 });
}

function diamond(name, x) {
  return svg('path', { class: name, d: `M${x} 4.5l6 6.5l-6 6.5l-6 -6.5z` });
}
