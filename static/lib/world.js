// Where the world is, kept up to date by the stream of events. One stream serves all pages.
import { get } from './api.js';
import { watch } from './events.js';

/** The last timeline events that are kept. */
const KEPT = 20;

const state = { clock: null, connection: 'connecting', seen: {}, recent: [] };
const listeners = new Set();
let controller = null;

/**
 * The state now: `clock` as GET /v1/clock gives it, `connection` (`connecting`, `open`,
 * `waiting`), how many events of each kind were `seen`, and the most `recent` of them.
 */
export function world() {
  return state;
}

/** Calls `listener(state)` whenever something has changed; returns what ends that. */
export function onWorld(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Begins to watch. */
export function connect() {
  disconnect();
  controller = new AbortController();
  const { signal } = controller;
  watch('/v1/events', {
    signal,
    onEvent: take,
    onState(connection) {
      state.connection = connection;
      tell();
      if (connection === 'open') read(signal);
    },
  });
}

// A browser may keep a page that was left, for going back. Its stream would go on holding one of
// the six connections that there are to a server.
let left = false;
addEventListener('pagehide', () => {
  left = Boolean(controller && !controller.signal.aborted);
  controller?.abort();
});
addEventListener('pageshow', (event) => {
  if (event.persisted && left) connect();
});

/** Stops watching and forgets what was seen: the next one may not see the same. */
export function disconnect() {
  controller?.abort();
  Object.assign(state, { clock: null, connection: 'connecting', seen: {}, recent: [] });
}

// The events do not say what is simulated: the clock does, once.
async function read(signal) {
  const clock = await get('/v1/clock', {}, signal).catch(() => null);
  if (clock && !signal.aborted) {
    state.clock = { ...clock, ...state.clock, world: clock.world };
    tell();
  }
}

function take(event) {
  if (event.type === 'progress') {
    const { mode, factor, released_through, held_reason } = event;
    const progress = { mode, factor, released_through, held_reason };
    state.clock = { ...state.clock, ...progress, materialized_through: event.at };
  } else if (event.type === 'timeline') {
    state.seen[event.event] = (state.seen[event.event] ?? 0) + 1;
    state.recent = [event, ...state.recent].slice(0, KEPT);
  } else if (event.type === 'reset') {
    // Another world, or an older state of this one: what was seen is not of it.
    Object.assign(state, { seen: {}, recent: [] });
    if (controller) read(controller.signal);
  }
  tell();
}

let due = false;

// A world at full speed sends more than anybody reads: once a frame is enough.
function tell() {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    for (const listener of listeners) listener(state);
  }, 100);
}
