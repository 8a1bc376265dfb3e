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
      section('It stands on', bases(lineage.up)),
      section('What stands on it', derived(image.name, lineage.down)),
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

// The list names bases, the nearest images first; the page has lists in lists.
function derived(name, list) {
  if (list.length === 0) return empty('Nothing.', 'No image is built on this one.');
  const root = h('ul', { class: 'tree' });
  const items = new Map();
  for (const one of list) {
    const item = h('li', null, link(one));
    items.set(one.image, item);
    const parent = one.base === name ? root : branches(items.get(one.base));
    (parent ?? root).append(item);
  }
  return root;
}

// The list in an item; it joins the item when something is put into it, for empty lists confuse.
function branches(item) {
  const found = item?.querySelector(':scope > ul');
  if (!item || found) return found;
  const list = h('ul');
  item.append(list);
  return list;
}

function link(one) {
  const behind = one.on_current_base === false;
  return [
    imageLink(one.image),
    one.version && ` version ${one.version}`,
    one.base_version && h('span', { class: 'quiet' }, ` on ${one.base} ${one.base_version}`),
    behind && h('span', { class: 'badge' }, 'an older base'),
  ];
}
