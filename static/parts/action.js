// A button that asks the API to do something, and says what came of it.
import { h, put } from '../lib/dom.js';
import { Problem } from '../lib/problem.js';

/**
 * `act()` does it and returns what to say. With `sure` (a question) the first press asks, and only
 * the second one acts.
 */
export function action(title, act, { sure = null, label = null } = {}) {
  const told = h('span', { class: 'save-told', role: 'status' });
  const button = h('button', { type: 'button', class: 'small', 'aria-label': label }, title);
  let asked = false;
  button.addEventListener('click', async () => {
    if (sure && !asked) {
      asked = true;
      put(button, sure);
      button.setAttribute('aria-label', label ? `${label}: ${sure}` : sure);
      return;
    }
    button.disabled = true;
    put(told, 'asking …');
    try {
      put(told, await act());
    } catch (error) {
      const problem = Problem.from(error);
      const text = `${problem.title} (${problem.code})`;
      put(told, h('span', { class: 'error', title: problem.hint || problem.detail }, text));
    } finally {
      asked = false;
      put(button, title);
      button.disabled = false;
      if (label) button.setAttribute('aria-label', label);
      else button.removeAttribute('aria-label');
    }
  });
  return h('span', { class: 'save' }, button, told);
}
