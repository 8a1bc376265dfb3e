// The strip below the header: where simulated time stands, how it goes on, what happens; and the
// way to another instant.
import { h, put } from '../lib/dom.js';
import { here, navigate, onNavigate, refresh } from '../lib/router.js';
import { iso, number, parseInstant, span, stamp } from '../lib/time.js';
import { onWorld, world } from '../lib/world.js';
import { words } from './badges.js';
import { timeSlider } from './time-slider.js';

const DAY_MS = 86_400_000;

/** The strip, which keeps itself up to date. */
export function worldBar() {
  const now = h('div', { class: 'now' });
  const travel = h('div', { class: 'travel' });
  const told = h('p', { class: 'happened quiet' });
  const spoken = h('p', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
  const element = h(
    'section',
    { class: 'world', 'aria-label': 'Simulated time' },
    h('div', { class: 'world-inside' }, now, travel, timeSlider(), told),
    spoken,
  );
  const speak = speaker(spoken);
  const show = (state) => {
    put(now, shown(state));
    put(told, happened(state));
    speak(state);
  };
  onWorld(show);
  onNavigate((context) => put(travel, instant(context.asOf)));
  show(world());
  return element;
}

function shown({ clock, connection }) {
  if (!clock?.materialized_through) {
    const text = connection === 'waiting' ? 'no word yet; trying again' : 'connecting …';
    return h('p', { class: 'quiet' }, text);
  }
  return [
    h('span', { class: `mode ${clock.held_reason ? 'held' : clock.mode}` }, mode(clock)),
    h(
      'span',
      { class: 'clock' },
      h('time', { datetime: clock.materialized_through }, stamp(clock.materialized_through)),
      ' UTC',
    ),
    progress(clock),
    connection === 'waiting' && h('span', { class: 'error' }, 'connection lost; trying again'),
    clock.held_reason && h('span', { class: 'error' }, `held: ${clock.held_reason}`),
  ];
}

function mode(clock) {
  if (clock.held_reason) return 'held';
  if (clock.mode === 'live') return `live · ${span(clock.factor * 1000)} a second`;
  return clock.mode;
}

// How much of the scenario has been played; a live world goes on after its end.
function progress(clock) {
  if (!clock.world) return null;
  const from = Date.parse(clock.world.starts_at);
  const share =
    (Date.parse(clock.materialized_through) - from) / (Date.parse(clock.world.ends_at) - from);
  const name = clock.world.name;
  if (!(share < 1)) return h('span', { class: 'quiet' }, name);
  const percent = Math.max(0, Math.floor(share * 100));
  const label = `${name}: ${percent} % played`;
  return h(
    'span',
    { class: 'played' },
    h('progress', { max: 100, value: percent, 'aria-label': label }),
    h('span', { class: 'quiet' }, `${name} ${percent} %`),
  );
}

// A line of its own, as wide as there is room: what changes all the time moves nothing else.
function happened({ clock, seen, recent }) {
  if (!clock?.released_through) return null;
  const lag = Date.parse(clock.released_through) - Date.parse(clock.materialized_through);
  const parts = [lag > 0 ? `${span(lag)} in work` : 'all work done'];
  const total = Object.values(seen).reduce((sum, count) => sum + count, 0);
  if (total > 0) {
    const [last] = recent;
    const about = [last.image, last.cve].filter(Boolean).join(', ');
    parts.push(`${number(total)} ${total === 1 ? 'event' : 'events'} since you came`);
    parts.push(`last: ${words(last.event)}${about && ` (${about})`}`);
  }
  return parts.join(' · ');
}

/** The form that goes to another instant, and the way back from it. */
function instant(asOf) {
  const input = h('input', {
    id: 'as-of',
    name: 'as_of',
    required: true,
    maxlength: 24,
    size: 17,
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'YYYY-MM-DD hh:mm',
    value: asOf && (parseInstant(asOf) ? stamp(asOf) : asOf),
  });
  const go = (event) => {
    event.preventDefault();
    // What cannot be read goes to the API as it is, which says what is wrong with it.
    const at = parseInstant(input.value);
    const wanted = at ? iso(at) : input.value;
    navigate(here({ as_of: wanted, page_token: null }));
  };
  const form = h(
    'form',
    { class: 'travel-form', on: { submit: go } },
    h('label', { for: 'as-of' }, 'As of (UTC)'),
    input,
    h('button', { type: 'submit', class: 'small' }, 'Go'),
  );
  const earlier = step(asOf, -DAY_MS, 'A day earlier');
  if (!asOf) {
    const again = { type: 'button', class: 'small', on: { click: refresh } };
    return [form, earlier, h('button', again, 'Refresh')];
  }
  return [
    h('strong', { class: 'past' }, 'You see the past'),
    form,
    earlier,
    step(asOf, DAY_MS, 'A day later'),
    h('a', { class: 'button small', href: here({ as_of: null, page_token: null }) }, 'Back to now'),
  ];
}

function step(asOf, by, title) {
  const move = () => {
    const now = parseInstant(asOf ?? world().clock?.materialized_through ?? '');
    if (!now) return;
    const to = new Date(now.getTime() + by);
    const newest = parseInstant(world().clock?.materialized_through ?? '');
    navigate(here({ as_of: newest && to >= newest ? null : iso(to), page_token: null }));
  };
  return h('button', { type: 'button', class: 'small', on: { click: move } }, title);
}

// Time moves four times a second: what is spoken is only what matters, and each tenth on the way.
function speaker(element) {
  let said = '';
  return ({ clock, connection }) => {
    if (!clock?.mode) return;
    let text = `The world is ${mode(clock)}`;
    if (clock.held_reason) text = `The world is held: ${clock.held_reason}`;
    if (connection === 'waiting') text = 'The connection is lost; trying again';
    if (clock.mode === 'fast' && clock.world) {
      const from = Date.parse(clock.world.starts_at);
      const whole = Date.parse(clock.world.ends_at) - from;
      const tenths = Math.floor((10 * (Date.parse(clock.materialized_through) - from)) / whole);
      if (tenths <= 10) text += `, ${tenths * 10} % played`;
    }
    if (text !== said) {
      said = text;
      put(element, text);
    }
  };
}
