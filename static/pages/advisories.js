// All CVEs that the world has disclosed, the latest first.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { href } from '../lib/router.js';
import { none, time } from '../lib/time.js';
import { SEVERITIES, cveLink, pending, severity } from '../parts/badges.js';
import { filters, given } from '../parts/filters.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const ANY = ['', 'any'];

const FIELDS = [
  { name: 'q', title: 'Search', kind: 'text', wide: true, placeholder: 'CVE or package' },
  {
    name: 'severity',
    title: 'Severity',
    kind: 'select',
    options: [ANY, ...SEVERITIES.map((name) => [name, name])],
  },
  {
    name: 'known_exploited',
    title: 'Exploited',
    kind: 'select',
    options: [ANY, ['true', 'known to be'], ['false', 'not known to be']],
  },
  {
    name: 'fix_available',
    title: 'Fix',
    kind: 'select',
    options: [ANY, ['true', 'available'], ['false', 'none yet']],
  },
  {
    name: 'scan',
    title: 'Scan',
    kind: 'select',
    options: [ANY, ['pending', 'pending'], ['complete', 'complete']],
  },
  {
    name: 'order_by',
    title: 'Order by',
    kind: 'select',
    options: [
      ['', 'latest'],
      ['published_at', 'oldest'],
    ],
  },
];
const NAMES = FIELDS.map((field) => field.name);

/** The page. */
export function advisories(context) {
  const { form, update: align } = filters('CVEs', '/advisories', FIELDS);
  const results = h('div', { class: 'results' });
  const element = h('div', null, h('h1', { tabindex: -1 }, 'CVEs'), form, results);
  const update = ({ query, signal }) => {
    align(query);
    const fetch = () => get('/v1/advisories', given(query, NAMES), signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'CVEs', element, update };
  update(context);
  return view;
}

function list(page, query) {
  if (page.items.length === 0) {
    const filtered = NAMES.some((name) => query.get(name));
    if (!filtered) return empty('No CVE has been disclosed yet.', 'The world has just begun.');
    const all = h('a', { href: href('/advisories') }, 'look at all CVEs');
    return empty('No CVE is like that.', 'Take a filter away, or ', all, '.');
  }
  return [table('CVEs', COLUMNS, page.items), foot(page, 'CVEs', query)];
}

const COLUMNS = [
  { title: 'CVE', cell: (row) => cveLink(row.cve) },
  { title: 'Severity', cell: (row) => [severity(row.severity), ` ${row.score.toFixed(1)}`] },
  { title: 'Exploited', cell: (row) => (row.known_exploited ? 'known' : none()) },
  { title: 'Packages', cell: (row) => packages(row) },
  { title: 'Disclosed', cell: (row) => time(row.published_at) },
  { title: 'Fix available', cell: (row) => fix(row.fix_available_at) },
  { title: 'Scan', cell: (row) => scan(row.scan) },
];

function packages({ packages: names, package_count: count }) {
  const more = count - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

/** When a fix came; one that has not come may still come. */
export function fix(at) {
  return at ? time(at) : h('span', { class: 'state warn' }, 'none yet');
}

function scan(name) {
  return name === 'pending' ? pending('No scan can have found it yet, or none has run.') : name;
}
