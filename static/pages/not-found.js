// What stands where no page is.
import { h } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { empty } from '../parts/states.js';

/** The page. */
export function notFound() {
  const element = h(
    'div',
    null,
    h('h1', { tabindex: -1 }, 'There is no such page'),
    empty(
      'Nothing is at this address.',
      'It may have been typed wrong. ',
      h('a', { href: href('/images') }, 'All images'),
    ),
  );
  return { title: 'Not found', element };
}
