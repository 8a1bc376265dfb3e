// Estimates with their limits: a number, and a picture of where it lies. The picture says nothing
// that the words do not.
import { h, svg } from '../lib/dom.js';
import { none } from '../lib/time.js';

const WIDTH = 120;
const HEIGHT = 14;

/** A probability with its limits, in percent. */
export function share(estimate) {
  if (estimate?.estimate == null) return none();
  const percent = (value) => (value == null ? '–' : (value * 100).toFixed(1));
  const { estimate: value, lower, upper } = estimate;
  return estimated(`${percent(value)} %`, `${percent(lower)} to ${percent(upper)} %`, [
    bar('band', lower ?? 0, upper ?? 1, 1),
    tick(value, 1),
  ]);
}

/** A number with its limits, on a scale up to `most`. */
export function amount(estimate, most) {
  if (estimate?.estimate == null) return none();
  const text = (value) => (value == null ? '–' : value.toFixed(1));
  const { estimate: value, lower, upper } = estimate;
  return estimated(text(value), `${text(lower)} to ${text(upper)}`, [
    bar('band', lower ?? 0, upper ?? most, most),
    tick(value, most),
  ]);
}

/** Hours beside the hours that others took: `band` is their `[least, most]`. */
export function beside(hours, band, most) {
  return picture([bar('band others', band[0], band[1], most), hours != null && tick(hours, most)]);
}

function estimated(value, limits, parts) {
  return h(
    'span',
    { class: 'estimate' },
    picture(parts),
    h('span', null, value),
    h('span', { class: 'quiet' }, limits),
  );
}

function picture(parts) {
  const box = { class: 'bands', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' };
  const ground = svg('rect', { class: 'ground', x: 0, y: 5, width: WIDTH, height: 4 });
  return svg('svg', box, ground, parts);
}

function place(value, most) {
  return most > 0 ? Math.min(Math.max(value / most, 0), 1) * WIDTH : 0;
}

function bar(name, from, to, most) {
  const [x, end] = [place(from, most), place(to, most)];
  return svg('rect', { class: name, x, y: 3, width: Math.max(end - x, 1), height: 8 });
}

function tick(value, most) {
  const x = Math.min(place(value, most), WIDTH - 2);
  return svg('rect', { class: 'tick', x, y: 0, width: 2, height: HEIGHT });
}
