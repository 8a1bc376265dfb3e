// What stands where data will be: loading, nothing, or a problem that says what helps.
import { h, put } from '../lib/dom.js';
import { Problem } from '../lib/problem.js';

/**
 * Fills `element` with what `render` makes of what `fetch` brings. What stands there stays until
 * then; a problem takes its place, with a button that tries again.
 */
export async function load(element, signal, fetch, render) {
  element.setAttribute('aria-busy', 'true');
  if (!element.hasChildNodes()) put(element, h('p', { class: 'loading' }, 'Loading …'));
  try {
    const data = await fetch(signal);
    if (signal.aborted) return null;
    put(element, render(data));
    return data;
  } catch (error) {
    if (signal.aborted) return null;
    put(
      element,
      problem(error, () => load(element, signal, fetch, render)),
    );
    return null;
  } finally {
    if (!signal.aborted) element.removeAttribute('aria-busy');
  }
}

/** A problem: what, why, what helps, and what to quote when asking for help. */
export function problem(error, again = null) {
  const told = Problem.from(error);
  const parts = told.errors.map((part) => h('li', null, `${part.name}: ${part.detail}`));
  const facts = [
    h('dt', null, 'Code'),
    h('dd', null, h('code', null, told.code)),
    told.requestId && [h('dt', null, 'Request'), h('dd', null, h('code', null, told.requestId))],
  ];
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('p', { class: 'problem-title' }, told.title),
    told.detail && h('p', null, told.detail),
    parts.length > 0 && h('ul', null, parts),
    told.hint && h('p', { class: 'hint' }, told.hint),
    h('dl', { class: 'inline' }, facts),
    again && h('button', { type: 'button', on: { click: again } }, 'Try again'),
  );
}

/** Nothing is there; `hint` says why that may be or what to do. */
export function empty(title, ...hint) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), h('p', null, hint));
}
