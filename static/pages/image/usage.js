// Who runs an image, which version, and where.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { number, time } from '../../lib/time.js';
import { given } from '../../parts/filters.js';
import { digest, scanState } from '../../parts/badges.js';
import { empty, load } from '../../parts/states.js';
import { foot, table } from '../../parts/table.js';

const MODES = { follow: 'follows the tag', pin: 'pinned' };

/** The part. */
export function usagePart(image, { query, signal }) {
  const place = h('div');
  const address = `/v1/images/${encodeURIComponent(image.name)}/usage`;
  load(
    place,
    signal,
    () => get(address, given(query, []), signal),
    (page) => {
      if (page.items.length === 0) {
        return empty('Nobody runs this image.', 'Or nobody whom this key may see.');
      }
      return [table(`Who runs ${image.name}`, columns(), page.items), foot(page, 'uses', query)];
    },
  );
  return place;
}

function columns() {
  return [
    {
      title: 'Customer',
      cell: (row) => [
        h('b', null, row.customer),
        h('span', { class: 'sub' }, row.tenant_namespace),
      ],
    },
    { title: 'Version', cell: (row) => [`${row.version} `, digest(row.digest), older(row)] },
    { title: 'Scan', cell: (row) => scanState(row) },
    { title: 'How', cell: (row) => MODES[row.mode] ?? row.mode },
    { title: 'Environment', cell: (row) => [row.environment, ` · ${row.cluster}`] },
    { title: 'Replicas', kind: 'number', cell: (row) => number(row.replicas) },
    { title: 'Internet', cell: (row) => (row.internet_exposed ? 'exposed' : 'not exposed') },
    { title: 'Since', cell: (row) => time(row.used_since) },
  ];
}

function older(row) {
  return !row.current && h('span', { class: 'sub' }, 'not the current one');
}
