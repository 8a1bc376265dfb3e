// The versions of an image, and what changed from one to another.
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { here, navigate } from '../../lib/router.js';
import { none, number, time } from '../../lib/time.js';
import { buildLink, digest, level, scanState, section } from '../../parts/badges.js';
import { given } from '../../parts/filters.js';
import { empty, load } from '../../parts/states.js';
import { foot, table } from '../../parts/table.js';

/** The part. */
export function versionsPart(image, { query, signal }) {
  const place = h('div');
  const address = `/v1/images/${encodeURIComponent(image.name)}/versions`;
  load(
    place,
    signal,
    () => get(address, given(query, []), signal),
    (page) => {
      if (page.items.length === 0) {
        return empty('There is no version yet.', 'One comes with each build that completes.');
      }
      return [
        table(`Versions of ${image.name}`, columns(), page.items),
        foot(page, 'versions', query),
      ];
    },
  );
  return [image.current && comparison(image, query, signal), place];
}

function columns() {
  return [
    { title: 'Version', cell: (row) => h('b', null, row.version) },
    { title: 'Digest', cell: (row) => digest(row.digest) },
    { title: 'Tags', cell: (row) => tags(row.tags) },
    { title: 'Published', cell: (row) => time(row.published_at) },
    { title: 'Superseded', cell: (row) => time(row.superseded_at) },
    { title: 'Scan', cell: (row) => scanState(row) },
    { title: 'SLSA', cell: (row) => level(row.slsa_level) },
    { title: 'Packages', kind: 'number', cell: (row) => number(row.packages) },
    { title: 'Build', cell: (row) => buildLink(row.build_href.split('/').pop()) },
    {
      title: 'Changes',
      cell: (row) =>
        row.version > 1
          ? h(
              'a',
              { href: here({ from: row.version - 1, to: row.version }) },
              `since ${row.version - 1}`,
            )
          : none(),
    },
  ];
}

function tags(names) {
  if (names.length === 0) return none();
  return h(
    'ul',
    { class: 'tags' },
    names.map((name) => h('li', { class: 'tag' }, name)),
  );
}

function comparison(image, query, signal) {
  const newest = image.current.version;
  const input = (name, title, value) => {
    const field = { id: `diff-${name}`, name, type: 'number', min: 1, max: newest, required: true };
    const element = h('input', { ...field, value, inputmode: 'numeric' });
    return [element, h('div', { class: 'field' }, h('label', { for: field.id }, title), element)];
  };
  const [from, fromField] = input('from', 'From version', query.get('from') ?? newest - 1);
  const [to, toField] = input('to', 'to version', query.get('to') ?? newest);
  const compare = (event) => {
    event.preventDefault();
    navigate(here({ from: from.value, to: to.value }));
  };
  const form = h(
    'form',
    { class: 'compare', on: { submit: compare } },
    fromField,
    toField,
    h('button', { type: 'submit' }, 'Compare'),
  );
  const place = h('div');
  if (query.get('from') && query.get('to')) {
    const address = `/v1/images/${encodeURIComponent(image.name)}/diff`;
    const parameters = { from: query.get('from'), to: query.get('to'), as_of: query.get('as_of') };
    load(place, signal, () => get(address, parameters, signal), changes);
  }
  return section('Compare two versions', form, place);
}

function changes({ packages, advisories }) {
  const lists = [
    ['Packages added', packages.added, (p) => `${p.package} ${p.version}`, 'added'],
    ['Packages removed', packages.removed, (p) => `${p.package} ${p.version}`, 'removed'],
    ['Packages changed', packages.changed, (p) => `${p.package} ${p.from} → ${p.to}`, ''],
    ['CVEs fixed', advisories.fixed, (c) => `${c.cve} (${c.severity})`, 'removed'],
    ['CVEs introduced', advisories.introduced, (c) => `${c.cve} (${c.severity})`, 'added'],
  ];
  const shown = lists.filter(([, items]) => items.length > 0);
  if (shown.length === 0) {
    return empty('Nothing differs.', 'Both versions hold the same packages and the same CVEs.');
  }
  return shown.map(([title, items, text, tone]) => [
    h('h3', null, `${title}: ${number(items.length)}`),
    h(
      'ul',
      { class: 'change' },
      items.map((item) => h('li', { class: tone }, text(item))),
    ),
  ]);
}
