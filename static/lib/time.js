// Simulated instants and lengths of time, always in UTC, always in the same width.
import { h } from './dom.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `2026-01-12 05:00`; with seconds on request. */
export function stamp(instant, seconds = false) {
  const text = new Date(instant).toISOString().replace('T', ' ');
  return text.slice(0, seconds ? 19 : 16);
}

/** A date as the API writes instants: without milliseconds where there are none. */
export function iso(date) {
  return date.toISOString().replace('.000Z', 'Z');
}

/** An instant that people write, or null. Without a zone it is in UTC, as all instants are here. */
export function parseInstant(text) {
  const trimmed = text.trim().replace(' ', 'T');
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(trimmed);
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? `${trimmed}T00:00` : trimmed;
  const date = new Date(zoned ? trimmed : `${whole}Z`);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** An instant as an element; the tooltip has it in full. */
export function time(instant) {
  if (!instant) return none();
  return h('time', { datetime: instant, title: `${stamp(instant, true)} UTC` }, stamp(instant));
}

/** What stands where there is nothing to say. */
export function none() {
  return h('span', { class: 'none' }, '–');
}

/** A length of time in its two largest units: `3 d 4 h`, `5 h 12 min`, `40 s`. */
export function span(milliseconds) {
  const whole = Math.abs(milliseconds);
  if (whole >= DAY)
    return join(Math.floor(whole / DAY), 'd', Math.floor((whole % DAY) / HOUR), 'h');
  if (whole >= HOUR) {
    return join(Math.floor(whole / HOUR), 'h', Math.floor((whole % HOUR) / MINUTE), 'min');
  }
  if (whole >= MINUTE) return `${Math.floor(whole / MINUTE)} min`;
  return `${Math.floor(whole / 1000)} s`;
}

function join(first, firstUnit, second, secondUnit) {
  return second === 0 ? `${first} ${firstUnit}` : `${first} ${firstUnit} ${second} ${secondUnit}`;
}

/** How long before `now` an instant lies, as an element. */
export function ago(instant, now) {
  if (!instant) return none();
  const passed = Date.parse(now) - Date.parse(instant);
  const text = passed < 0 ? `in ${span(passed)}` : `${span(passed)} ago`;
  return h('time', { datetime: instant, title: `${stamp(instant, true)} UTC` }, text);
}

/** Between two instants, as text. */
export function between(from, to) {
  return span(Date.parse(to) - Date.parse(from));
}

/** A size in bytes, in binary units. */
export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const NUMBER = new Intl.NumberFormat('en-US');

/** A number with its thousands set apart. */
export function number(value) {
  return NUMBER.format(value);
}
