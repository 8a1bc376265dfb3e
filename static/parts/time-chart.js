// Curves over time on one axis: areas that stand on each other, or lines. Pointing at an instant
// says its numbers, choosing it goes there. The table says the same without a picture.
import { h, put, svg } from '../lib/dom.js';
import { here, navigate } from '../lib/router.js';
import { iso, number, stamp } from '../lib/time.js';
import { table } from './table.js';

const [WIDTH, HEIGHT] = [760, 150];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 8, 22];
/** So many rows a table has at most. */
const ROWS = 24;

/**
 * `series` are `{ name, tone, values }`, drawn from the last one upwards when `stacked`. `instants`
 * are those of all values.
 */
export function timeChart(title, instants, series, { stacked = false } = {}) {
  const shown = stacked ? stack(series) : series.map((each) => ({ ...each, top: each.values }));
  const most = Math.max(1, ...shown.flatMap((each) => each.top));
  const x = (at) => LEFT + (at / Math.max(instants.length - 1, 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const draw = stacked ? area : line;
  const cursor = svg('path', { class: 'cursor', d: '' });
  const picture = svg(
    'svg',
    { class: 'time-chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' },
    grid(y, most),
    shown.map((each) => draw(each, x, y)),
    dates(instants, x),
    cursor,
  );
  const told = h('p', { class: 'told quiet' });
  const tell = (at) => {
    const parts = series.map((each) => `${number(each.values[at])} ${each.name}`);
    put(told, `${stamp(instants[at])} UTC: ${parts.join(', ')}`);
    cursor.setAttribute('d', `M${x(at)} ${TOP}V${HEIGHT - BOTTOM}`);
  };
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    const across = ((event.clientX - box.left) / box.width) * WIDTH;
    const share = (across - LEFT) / (WIDTH - LEFT - RIGHT);
    return Math.round(Math.min(Math.max(share, 0), 1) * (instants.length - 1));
  };
  picture.addEventListener('pointermove', (event) => tell(place(event)));
  picture.addEventListener('click', (event) => {
    navigate(here({ as_of: iso(new Date(instants[place(event)])), page_token: null }));
  });
  tell(instants.length - 1);
  const rows = numbers(title, instants, series);
  return h('div', { class: 'chart' }, legend(series), picture, told, rows);
}

function stack(series) {
  let below = series[0].values.map(() => 0);
  const shown = [];
  for (const each of [...series].reverse()) {
    const top = each.values.map((value, at) => value + below[at]);
    shown.push({ ...each, bottom: below, top });
    below = top;
  }
  return shown;
}

function area({ tone, bottom, top }, x, y) {
  const upper = top.map((value, at) => `${at === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`);
  const lower = bottom.map((value, at) => `L${x(at)} ${y(value)}`).reverse();
  return svg('path', { class: `area ${tone}`, d: `${upper.join('')}${lower.join('')}Z` });
}

function line({ tone, top }, x, y) {
  const points = top.map((value, at) => `${at === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`);
  return svg('path', { class: `curve ${tone}`, d: points.join('') });
}

function grid(y, most) {
  return [0, Math.ceil(most / 2), most].map((value) => [
    svg('path', { class: 'grid', d: `M${LEFT} ${y(value)}H${WIDTH - RIGHT}` }),
    svg('text', { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, number(value)),
  ]);
}

function dates(instants, x) {
  const places = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (instants.length - 1)));
  return places.map((at, nth) => {
    const anchor = nth === 0 ? 'start' : nth === 4 ? 'end' : 'middle';
    const place = { x: x(at), y: HEIGHT - 6, 'text-anchor': anchor };
    return svg('text', place, stamp(instants[at]).slice(5, 10));
  });
}

function legend(series) {
  const one = ({ name, tone }) =>
    h('li', null, svg('svg', { viewBox: '0 0 14 14', 'aria-hidden': 'true' }, swatch(tone)), name);
  return h('ul', { class: 'story-legend' }, series.map(one));
}

function swatch(tone) {
  return svg('rect', { class: `area ${tone}`, x: 1, y: 1, width: 12, height: 12 });
}

function numbers(title, instants, series) {
  const every = Math.max(1, Math.ceil(instants.length / ROWS));
  const rows = instants
    .map((instant, at) => ({ instant, at }))
    .filter(({ at }) => (instants.length - 1 - at) % every === 0);
  const columns = [
    { title: 'At (UTC)', cell: (row) => stamp(row.instant) },
    ...series.map(({ name, values }) => ({
      title: name,
      kind: 'number',
      cell: (row) => number(values[row.at]),
    })),
  ];
  return h('details', null, h('summary', null, 'As a table'), table(title, columns, rows));
}
