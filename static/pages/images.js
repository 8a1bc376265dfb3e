// The Image Explorer: all images, searched, filtered and ordered by what the address says.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { ago, none, number } from '../lib/time.js';
import {
  SEVERITIES,
  digest,
  imageLink,
  level,
  scanState,
  severities,
  state,
} from '../parts/badges.js';
import { filters, given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const ANY = ['', 'any'];

const FIELDS = [
  {
    name: 'q',
    title: 'Search',
    kind: 'text',
    wide: true,
    placeholder: 'name, description or digest',
  },
  { name: 'tag', title: 'Tag', kind: 'text', placeholder: 'latest' },
  {
    name: 'status',
    title: 'Status',
    kind: 'select',
    options: [
      ANY,
      ['active', 'active'],
      ['unpublished', 'unpublished'],
      ['end_of_life', 'end of life'],
    ],
  },
  { name: 'base', title: 'Base image', kind: 'text', placeholder: 'its name' },
  {
    name: 'severity',
    title: 'Open findings',
    kind: 'select',
    options: [ANY, ...SEVERITIES.map((name) => [name, name])],
  },
  {
    name: 'scan',
    title: 'Scan',
    kind: 'select',
    options: [ANY, ...['pending', 'outdated', 'complete'].map((each) => [each, each])],
  },
  {
    name: 'slsa_level',
    title: 'SLSA level',
    kind: 'select',
    options: [ANY, ...['0', '1', '2', '3'].map((each) => [each, each])],
  },
  {
    name: 'order_by',
    title: 'Order by',
    kind: 'select',
    options: [
      ['', 'name'],
      ['-name', 'name, last first'],
      ['-published_at', 'newest version'],
      ['published_at', 'oldest version'],
      ['-created_at', 'added last'],
    ],
  },
];
const NAMES = FIELDS.map((field) => field.name);

/** The page. */
export function images(context) {
  const { form, update: align } = filters('Images', '/images', FIELDS);
  const results = h('div', { class: 'results' });
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Images'), form, results);
  const update = ({ query, signal }) => {
    align(query);
    const fetch = () => get('/v1/images', given(query, NAMES), signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Images', element, update };
  update(context);
  return view;
}

function list(page, query) {
  if (page.items.length === 0) return nothing(query);
  return [table('Images', columns(page.as_of), page.items), foot(page, 'images', query)];
}

function nothing(query) {
  const filtered = NAMES.some((name) => query.get(name));
  if (!filtered) {
    return empty('There is no image yet.', 'The world has just begun, or shows none to this key.');
  }
  return empty(
    'No image is like that.',
    'Take a filter away, or ',
    h('a', { href: href('/images') }, 'look at all images'),
    '.',
  );
}

function columns(asOf) {
  return [
    {
      title: 'Image',
      cell: (row) => [imageLink(row.name), h('span', { class: 'sub' }, row.description)],
    },
    { title: 'Status', cell: (row) => state(row.status) },
    { title: 'Base', cell: (row) => (row.base ? imageLink(row.base) : none()) },
    { title: 'Open findings', cell: (row) => open(row) },
    { title: 'Scan', cell: (row) => (row.current ? scanState(row.current) : none()) },
    { title: 'SLSA', cell: (row) => (row.current ? level(row.current.slsa_level) : none()) },
    {
      title: 'Version',
      cell: (row) =>
        row.current ? [`${row.current.version} `, digest(row.current.digest)] : none(),
    },
    {
      title: 'Packages',
      kind: 'number',
      cell: (row) => (row.current ? number(row.current.packages) : none()),
    },
    {
      title: 'Published',
      kind: 'number',
      cell: (row) => (row.current ? ago(row.current.published_at, asOf) : none()),
    },
  ];
}

function open(row) {
  return row.current ? severities(row.open_findings) : none();
}
