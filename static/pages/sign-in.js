// Signing in with an API key.
import { h, put } from '../lib/dom.js';
import { navigate } from '../lib/router.js';
import { signIn } from '../lib/session.js';
import { problem } from '../parts/states.js';

/** The page. `next` in the address is where to go afterwards, `why` is why one has to. */
export function signInPage({ query }) {
  const told = h('div', { class: 'told' });
  const key = h('input', {
    id: 'key',
    name: 'key',
    type: 'password',
    required: true,
    maxlength: 200,
    autocomplete: 'current-password',
    spellcheck: 'false',
    'aria-describedby': 'key-hint',
  });
  const keep = h('input', { id: 'keep', name: 'keep', type: 'checkbox' });
  const button = h('button', { type: 'submit', class: 'main' }, 'Sign in');
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    put(told);
    try {
      await signIn(key.value.trim(), keep.checked);
      navigate(target(query.get('next')), { replace: true });
    } catch (error) {
      put(told, problem(error));
      key.setAttribute('aria-invalid', 'true');
      key.focus();
    } finally {
      button.disabled = false;
    }
  };
  const form = h(
    'form',
    { class: 'panel sign-in', on: { submit } },
    h('h1', { tabindex: -1 }, 'Sign in'),
    query.get('why') && h('p', { class: 'notice', role: 'status' }, query.get('why')),
    h('label', { for: 'key' }, 'API key'),
    key,
    h(
      'p',
      { id: 'key-hint', class: 'quiet' },
      'It begins with ',
      h('code', null, 'wt_'),
      '. ',
      h('code', null, 'wavetank demo'),
      ' prints some; an admin can make more.',
    ),
    h(
      'p',
      { class: 'check' },
      keep,
      h('label', { for: 'keep' }, 'Keep the key in this tab, so that reloading never signs me out'),
    ),
    button,
    told,
  );
  return { title: 'Sign in', element: form };
}

// Only a page of this site, whatever the address says.
function target(next) {
  return next && /^\/ui\/(?!sign-in)/.test(next) ? next : '/ui/';
}
