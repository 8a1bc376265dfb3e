// One image. What is known of it comes in parts, each at an address of its own (`?part=`).
import { get } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { here } from '../lib/router.js';
import { ago, none, time } from '../lib/time.js';
import {
  digest,
  facts,
  imageLink,
  level,
  scanState,
  severities,
  state,
} from '../parts/badges.js';
import { load } from '../parts/states.js';
import { buildsPart } from './image/builds.js';
import { findingsPart } from './image/findings.js';
import { lineagePart } from './image/lineage.js';
import { overviewPart } from './image/overview.js';
import { usagePart } from './image/usage.js';
import { versionsPart } from './image/versions.js';

/** A part is a function of `(image, context)` that returns what to show. */
const PARTS = [
  ['', 'Evidence', overviewPart],
  ['findings', 'Findings', findingsPart],
  ['builds', 'Builds', buildsPart],
  ['versions', 'Versions', versionsPart],
  ['usage', 'Usage', usagePart],
  ['lineage', 'Lineage', lineagePart],
];

/** What belongs to a part, and is left behind with it. */
const OF_A_PART = { page_token: null, image_status: null, from: null, to: null };

/** The page. */
export function image(context) {
  const name = context.params.image;
  const summary = h('div', { class: 'summary' });
  const menu = h('nav', { class: 'tabs', 'aria-label': `Parts of ${name}` });
  const part = h('div', { class: 'results' });
  const element = h('div', null, h('h1', { tabindex: -1 }, name), summary, menu, part);
  let known = null;
  const update = (now) => {
    const [wanted, title, show] = chosen(now.query);
    view.title = wanted ? `${name}: ${title.toLowerCase()}` : name;
    put(
      menu,
      PARTS.map((each) => entry(each, wanted)),
    );
    const draw = () => put(part, show(known.image, now));
    if (known && known.asOf === now.asOf && !now.again) return draw();
    const address = `/v1/images/${encodeURIComponent(name)}`;
    const fetch = () => get(address, { as_of: now.asOf }, now.signal);
    put(part);
    view.ready = load(summary, now.signal, fetch, (found) => {
      known = { image: found, asOf: now.asOf };
      draw();
      return head(found);
    });
    return view.ready;
  };
  const view = { title: name, element, update };
  update(context);
  return view;
}

function chosen(query) {
  return PARTS.find(([name]) => name === (query.get('part') ?? '')) ?? PARTS[0];
}

function entry([name, title], wanted) {
  const address = here({ part: name || null, ...OF_A_PART });
  return h('a', { href: address, 'aria-current': name === wanted ? 'page' : null }, title);
}

function head(image) {
  const { current } = image;
  const tags = image.tags.map(({ tag, version }) =>
    h('li', { class: 'tag', title: `version ${version}` }, tag),
  );
  return [
    h('p', { class: 'lead' }, image.description),
    facts([
      ['Status', state(image.status)],
      ['Open findings', current ? severities(image.open_findings) : none()],
      ['Scan', current ? scanState(current) : none()],
      ['SLSA level', current ? level(current.slsa_level) : none()],
      ['Version', current && [`${current.version} `, digest(current.digest)]],
      ['Published', current && ago(current.published_at, image.as_of)],
      ['Packages', current?.packages],
      ['Base', image.base && [imageLink(image.base), ' ', digest(current?.base_digest)]],
      ['End of life', image.end_of_life_at && time(image.end_of_life_at)],
      ['Owner', image.tenant_namespace],
      ['Tags', tags.length > 0 ? h('ul', { class: 'tags' }, tags) : null],
    ]),
  ];
}
