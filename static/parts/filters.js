// A form whose fields are the parameters of the address: changing one goes to the address that has
// it, and going back brings the old one.
import { h } from '../lib/dom.js';
import { here, href, navigate } from '../lib/router.js';

/** So long after the last key a text counts as typed. */
const TYPED_MS = 300;

/**
 * The form and `update(query)`, which brings the fields in line with an address. Fields:
 * `{ name, title, kind: 'text' | 'select', options?: [[value, title]], wide?, placeholder? }`.
 */
export function filters(label, home, fields) {
  const inputs = fields.map(input);
  let timer = 0;
  const go = (replace) => {
    clearTimeout(timer);
    if (!form.isConnected) return;
    const changes = Object.fromEntries(
      inputs.map((each) => [each.name, each.value.trim() || null]),
    );
    const address = here({ ...changes, page_token: null });
    if (address !== location.pathname + location.search) navigate(address, { replace });
  };
  const type = (event) => {
    if (event.target.type !== 'search') return;
    clearTimeout(timer);
    // Going back takes the whole text away, not one letter after the other.
    const begun = new URLSearchParams(location.search).has(event.target.name);
    timer = setTimeout(() => go(begun), TYPED_MS);
  };
  const change = (event) => {
    if (event.target.type !== 'search') go(false);
  };
  const submit = (event) => {
    event.preventDefault();
    go(false);
  };
  const clear = h('a', { class: 'button small clear', href: href(home) }, 'Clear filters');
  const form = h(
    'form',
    { class: 'filters', role: 'search', 'aria-label': label, on: { input: type, change, submit } },
    fields.map((field, at) =>
      h(
        'div',
        { class: field.wide ? 'field wide' : 'field' },
        h('label', { for: inputs[at].id }, field.title),
        inputs[at],
      ),
    ),
    clear,
  );
  const update = (query) => {
    for (const each of inputs) {
      const wanted = query.get(each.name) ?? '';
      // Not under the fingers of somebody who types.
      if (each !== document.activeElement || each.value.trim() !== wanted) each.value = wanted;
    }
    clear.hidden = !inputs.some((each) => query.get(each.name));
    clear.setAttribute('href', href(home));
  };
  return { form, update };
}

function input(field) {
  const id = `filter-${field.name}`;
  if (field.kind === 'select') {
    const options = field.options.map(([value, title]) => h('option', { value }, title));
    return h('select', { id, name: field.name }, options);
  }
  return h('input', {
    id,
    name: field.name,
    type: 'search',
    maxlength: 80,
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: field.placeholder,
  });
}

/** The parameters of the address that a list takes. */
export function given(query, names) {
  return Object.fromEntries(
    [...names, 'as_of', 'page_token'].map((name) => [name, query.get(name)]),
  );
}
