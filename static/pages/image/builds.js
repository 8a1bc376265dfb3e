// The builds of one image.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { given } from '../../parts/filters.js';
import { buildTable } from '../../parts/build-table.js';
import { empty, load } from '../../parts/states.js';
import { foot } from '../../parts/table.js';

/** The part. */
export function buildsPart(image, { query, signal }) {
  const place = h('div');
  const parameters = { ...given(query, []), image: image.name };
  load(
    place,
    signal,
    () => get('/v1/builds', parameters, signal),
    (page) => {
      if (page.items.length === 0) {
        return empty('There is no build yet.', 'A build is pending as soon as it is asked for.');
      }
      return [
        buildTable(`Builds of ${image.name}`, page.items, false),
        foot(page, 'builds', query),
      ];
    },
  );
  return place;
}
