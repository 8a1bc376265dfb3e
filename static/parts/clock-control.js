// How simulated time goes on: paused, live, as fast as it can, or up to an instant.
import { change } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { Problem } from '../lib/problem.js';
import { iso, parseInstant } from '../lib/time.js';
import { onWorld, world } from '../lib/world.js';
import { field } from './field.js';

const DAY_MS = 86_400_000;

const PACES = [
  ['60', 'a minute a second'],
  ['3600', 'an hour a second'],
  ['21600', 'six hours a second'],
  ['86400', 'a day a second'],
];

/** The buttons; `signal` ends their watching of the clock. */
export function clockControl(signal) {
  const told = h('span', { class: 'save-told', role: 'status' });
  const pace = field('clock-pace', 'Live means', { options: PACES });
  const until = field('clock-until', 'Run until (UTC)', {
    size: 17,
    maxlength: 24,
    placeholder: 'YYYY-MM-DD hh:mm',
  });
  const ask = async (wanted, said) => {
    put(told, 'asking …');
    try {
      await change('PUT', '/v1/clock', wanted);
      put(told, said);
    } catch (error) {
      const problem = Problem.from(error);
      put(told, h('span', { class: 'error', title: problem.hint }, problem.message));
    }
  };
  const button = (title, act) => h('button', { type: 'button', on: { click: act } }, title);
  const buttons = {
    paused: button('Pause', () => ask({ mode: 'paused' }, 'paused')),
    live: button('Live', () => ask({ mode: 'live', factor: Number(pace.input.value) }, 'live')),
    fast: button('Fast', () => ask({ mode: 'fast' }, 'as fast as it can')),
  };
  const run = (to, said) => ask({ mode: 'fast', run_until: iso(to), then: 'paused' }, said);
  const day = button('Step a day', () => {
    const at = Date.parse(world().clock?.released_through ?? '');
    if (Number.isFinite(at)) run(new Date(at + DAY_MS), 'a day further, then paused');
  });
  const submit = (event) => {
    event.preventDefault();
    const to = parseInstant(until.input.value);
    if (to) run(to, 'runs up to there, then pauses');
    else put(told, h('span', { class: 'error' }, 'Write an instant such as 2026-02-01 12:00.'));
  };
  const show = ({ clock }) => {
    for (const [mode, element] of Object.entries(buttons)) {
      element.setAttribute('aria-pressed', String(clock?.mode === mode));
    }
  };
  const stop = onWorld(show);
  signal.addEventListener('abort', stop);
  show(world());
  return h(
    'form',
    { class: 'clock-control', 'aria-label': 'Clock', on: { submit } },
    h('div', { class: 'buttons' }, Object.values(buttons), day),
    pace.element,
    until.element,
    h('button', { type: 'submit' }, 'Run'),
    told,
  );
}
