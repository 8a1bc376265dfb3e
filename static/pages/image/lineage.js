// What an image stands on, and what stands on it.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { imageLink, section } from '../../parts/badges.js';
import { empty, load } from '../../parts/states.js';

/** The part. */
export function lineagePart(image, { asOf, signal }) {
  const place = h('div');
  const address = `/v1/images/${encodeURIComponent(image.name)}/lineage`;
  load(
    place,
    signal,
    () => get(address, { as_of: asOf }, signal),
    (lineage) => [
      section('It stands on', bases(lineage.bases ?? [])),
      section('What stands on it', derived(lineage.derived ?? [])),
    ],
  );
  return place;
}

function bases(list) {
  if (list.length === 0) return empty('Nothing.', 'This image is a foundation.');
  return h(
    'ol',
    { class: 'tree' },
    list.map((one) => h('li', null, link(one))),
  );
}

// The list has depths; the page has lists in lists.
function derived(list) {
  if (list.length === 0) return empty('Nothing.', 'No image is built on this one.');
  const root = h('ul', { class: 'tree' });
  const open = [root];
  for (const one of list) {
    const depth = Math.max(1, Math.min(one.depth, open.length));
    open.length = depth;
    const item = h('li', null, link(one));
    open[depth - 1].append(item);
    open.push(lazyList(item));
  }
  return root;
}

// A list that joins its item only when something is put into it: empty lists confuse readers.
function lazyList(item) {
  const list = h('ul');
  return {
    append(child) {
      if (!list.isConnected) item.append(list);
      list.append(child);
    },
  };
}

function link(one) {
  return [imageLink(one.name ?? one.image), one.version && ` version ${one.version}`];
}
