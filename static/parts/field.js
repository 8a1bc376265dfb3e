// A field of a form that writes: a label and its input.
import { h } from '../lib/dom.js';

/** `{ element, input }`; with `options` (`[[value, title]]`) it is a choice. */
export function field(id, title, { options = null, ...attributes } = {}) {
  const plain = { id, autocomplete: 'off', spellcheck: 'false', ...attributes };
  const input = options
    ? h('select', { id }, options.map(([value, text]) => h('option', { value }, text)))
    : h('input', plain);
  const element = h('div', { class: 'field' }, h('label', { for: id }, title), input);
  return { element, input };
}
