// The whole history as a slider: it moves the instant that every page shows. What went wrong is
// marked above it once somebody comes near.
import { get } from '../lib/api.js';
import { h, put, svg } from '../lib/dom.js';
import { here, navigate, onNavigate } from '../lib/router.js';
import { iso, stamp } from '../lib/time.js';
import { onWorld, world } from '../lib/world.js';

const STEPS = 1_000;
/** So long after the last movement the pages follow. */
const STILL_MS = 120;
/** Marks are read anew after so long. */
const FRESH_MS = 60_000;
const MARKS = 200;

/** The slider, which keeps itself up to date. */
export function timeSlider() {
  const input = h('input', {
    type: 'range',
    min: 0,
    max: STEPS,
    step: 1,
    value: STEPS,
    'aria-label': 'Instant that is shown',
  });
  const marks = svg('svg', { class: 'marks', viewBox: '0 0 1000 8', 'aria-hidden': 'true' });
  marks.setAttribute('preserveAspectRatio', 'none');
  const told = h('output', { class: 'quiet' });
  const rail = h('div', { class: 'rail' }, marks, input);
  const element = h('div', { class: 'time-slider' }, rail, told);
  let asOf = null;
  let held = false;
  let timer = 0;
  let read = 0;
  const range = () => {
    const clock = world().clock;
    if (!clock?.world || !clock.materialized_through) return null;
    const from = Date.parse(clock.world.history_from ?? clock.world.starts_at);
    return { from, whole: Math.max(Date.parse(clock.materialized_through) - from, 1) };
  };
  const instant = () => {
    const { from, whole } = range();
    const step = Number(input.value);
    return step >= STEPS ? null : new Date(from + Math.round((whole * step) / STEPS / 1000) * 1000);
  };
  const tell = () => {
    const at = range() && instant();
    const text = at ? `${stamp(at)} UTC` : 'now';
    put(told, text);
    input.setAttribute('aria-valuetext', text);
  };
  const show = () => {
    const span = range();
    element.hidden = !span;
    if (!span || held) return;
    const share = asOf ? (Date.parse(asOf) - span.from) / span.whole : 1;
    input.value = String(Math.round(Math.min(Math.max(share, 0), 1) * STEPS));
    tell();
  };
  const follow = () => {
    const at = instant();
    held = false;
    navigate(here({ as_of: at && iso(at), page_token: null }));
  };
  input.addEventListener('input', () => {
    held = true;
    tell();
    clearTimeout(timer);
    timer = setTimeout(follow, STILL_MS);
  });
  const near = async () => {
    if (!range() || Date.now() - read < FRESH_MS) return;
    read = Date.now();
    put(marks, draw(await troubles().catch(() => []), range()));
  };
  element.addEventListener('pointerenter', near);
  input.addEventListener('focus', near);
  onWorld(show);
  onNavigate((context) => {
    asOf = context.asOf;
    show();
  });
  show();
  return element;
}

/** `[kind, instant]` of breaches, mass events and incidents; each kind has its height. */
async function troubles() {
  const [violations, figures, incidents] = await Promise.all([
    get('/v1/sla/violations', { page_size: MARKS }),
    get('/v1/sla/figures', { days: 365 }),
    get('/v1/incidents', { page_size: MARKS }),
  ]);
  return [
    ...violations.items.map((row) => ['breach', row.due_at]),
    ...figures.mass_events.map((row) => ['mass', row.decided_at]),
    ...incidents.items.filter((row) => row.at).map((row) => ['incident', row.at]),
  ];
}

const HEIGHTS = { breach: 3, mass: 5, incident: 8 };

function draw(all, { from, whole }) {
  const seen = new Set();
  return all.map(([kind, instant]) => {
    const x = Math.round(((Date.parse(instant) - from) / whole) * 1000);
    const key = `${kind} ${x}`;
    if (x < 0 || x > 1000 || seen.has(key)) return null;
    seen.add(key);
    const height = HEIGHTS[kind];
    return svg('rect', { class: kind, x, y: 8 - height, width: 2, height });
  });
}
