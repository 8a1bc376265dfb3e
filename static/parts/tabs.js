// Parts of a page, each at an address of its own (`?part=`), and the place where the chosen one is
// shown.
import { h, put } from '../lib/dom.js';
import { here } from '../lib/router.js';

/**
 * `parts` are `[name, title, show(context)]`, the first with an empty name; `show` returns what to
 * show. `ofAPart` are parameters of the address that are left behind with a part. Returns `{ menu,
 * place, update(context) }`; `update` returns the title of the chosen part.
 */
export function tabs(label, parts, ofAPart) {
  const menu = h('nav', { class: 'tabs', 'aria-label': label });
  const place = h('div', { class: 'results' });
  const left = Object.fromEntries(['page_token', ...ofAPart].map((name) => [name, null]));
  const update = (context) => {
    const wanted = context.query.get('part') ?? '';
    const [chosen, title, show] = parts.find(([name]) => name === wanted) ?? parts[0];
    const entry = ([name, text]) => {
      const current = name === chosen ? 'page' : null;
      return h('a', { href: here({ ...left, part: name || null }), 'aria-current': current }, text);
    };
    put(menu, parts.map(entry));
    put(place, show(context));
    return title;
  };
  return { menu, place, update };
}
