// A button that downloads a document: a plain link could not carry the token.
import { save } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { Problem } from '../lib/problem.js';

/**
 * `what` names the document, for those who hear the button without its surroundings; a button that
 * stands `alone` says it to all. `name` is the file's, or null for the server's.
 */
export function saveButton(path, what, name, alone = false) {
  const told = h('span', { class: 'save-told', role: 'status' });
  const button = h('button', { type: 'button', class: 'small', 'aria-label': `Download ${what}` });
  put(button, alone ? `Download ${what}` : 'Download');
  button.addEventListener('click', async () => {
    button.disabled = true;
    put(told, 'fetching …');
    try {
      await save(path, name);
      put(told);
    } catch (error) {
      const problem = Problem.from(error);
      put(told, h('span', { class: 'error' }, `${problem.title} (${problem.code})`));
    } finally {
      button.disabled = false;
    }
  });
  return h('span', { class: 'save' }, button, told);
}
