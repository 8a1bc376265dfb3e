// The two logs that nothing can be taken out of unnoticed: what was signed, and who did what.
import { get } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { number, time } from '../lib/time.js';
import { digest, facts, imageLink } from '../parts/badges.js';
import { filters, given } from '../parts/filters.js';
import { proofButton } from '../parts/proof.js';
import { saveButton } from '../parts/save.js';
import { empty, load } from '../parts/states.js';
import { foot, table } from '../parts/table.js';
import { tabs } from '../parts/tabs.js';

const PARTS = [
  ['', 'Transparency log', transparency],
  ['audit', 'Audit log', audit],
  ['actions', 'Requests', actions],
];

/** The page. */
export function logs(context) {
  const summary = h('div', { class: 'summary' });
  const filtered = ['digest', 'actor', 'action', 'object', 'tenant', 'operation', 'outcome'];
  const { menu, place, update: show } = tabs('Logs', PARTS, filtered);
  const element = h('div', null, h('h1', { tabindex: -1 }, 'Logs'), summary, menu, place);
  let asked;
  const update = (now) => {
    show(now);
    if (asked === now.asOf && !now.again) return;
    asked = now.asOf;
    const fetch = () => get('/v1/logs', { as_of: now.asOf }, now.signal);
    view.ready = load(summary, now.signal, fetch, ({ items }) => facts(items.map(sizes)));
  };
  const view = { title: 'Logs', element, update };
  update(context);
  return view;
}

function sizes(log) {
  const root = h('span', { class: 'sub' }, 'root ', digest(log.root));
  return [`${log.name} log`, [`${number(log.size)} entries`, root]];
}

/** A list with filters. */
function part(label, address, fields, nothing, columns) {
  return ({ query, signal }) => {
    const { form, update: align } = filters(label, '/logs', fields);
    align(query);
    const place = h('div', { class: 'results' });
    const names = fields.map((field) => field.name);
    const fetch = () => get(address, given(query, names), signal);
    load(place, signal, fetch, (page) => {
      if (page.items.length === 0) return empty(nothing, 'Take a filter away, or wait.');
      return [table(label, columns(page.as_of), page.items), foot(page, 'entries', query)];
    });
    return [form, place];
  };
}

function transparency(context) {
  const fields = [
    { name: 'digest', title: 'Digest', kind: 'text', wide: true, placeholder: 'sha256:…' },
  ];
  const address = '/v1/logs/transparency/entries';
  const nothing = 'Nothing of that digest was signed.';
  return part('Transparency log', address, fields, nothing, signed)(context);
}

function signed(asOf) {
  return [
    { title: 'Entry', cell: (row) => number(row.log_index) },
    { title: 'Image', cell: (row) => [imageLink(row.image), ` version ${row.version}`] },
    { title: 'What it says', cell: (row) => predicate(row.predicate_type) },
    { title: 'Digest', cell: (row) => digest(row.digest) },
    { title: 'Entered', cell: (row) => time(row.created_at) },
    { title: 'Bundle', cell: (row) => bundle(row) },
    { title: 'Proof', cell: (row) => proofButton('transparency', row, asOf) },
  ];
}

function predicate(type) {
  return h('code', { title: type }, type.replace(/^https?:\/\//, ''));
}

function bundle(row) {
  if (!row.bundle_href) return h('span', { class: 'quiet' }, 'not kept any more');
  return saveButton(row.bundle_href, `the bundle of entry ${row.log_index}`, null);
}

function audit(context) {
  const fields = [
    { name: 'actor', title: 'Actor', kind: 'text', placeholder: 'builder-0' },
    { name: 'action', title: 'Action', kind: 'text', placeholder: 'image.publish' },
    { name: 'object', title: 'Object', kind: 'text', placeholder: 'image/48' },
    { name: 'tenant', title: 'Tenant', kind: 'text', placeholder: 'its namespace' },
  ];
  return part('Audit log', '/v1/audit-logs', fields, 'Nothing like that was done.', done)(context);
}

function done(asOf) {
  return [
    { title: 'Action', cell: (row) => h('code', null, row.action) },
    { title: 'Actor', cell: (row) => row.actor },
    { title: 'Object', cell: (row) => row.object },
    { title: 'Tenant', cell: (row) => row.tenant_namespace },
    { title: 'At', cell: (row) => time(row.at) },
    { title: 'Entry', kind: 'number', cell: (row) => place(row) },
    { title: 'Proof', cell: (row) => row.log_index != null && proofButton('audit', row, asOf) },
  ];
}

function place(row) {
  return row.log_index == null ? h('span', { class: 'state' }, 'pending') : number(row.log_index);
}

function actions(context) {
  const outcomes = [['', 'any'], ['done', 'done'], ['refused', 'refused']];
  const fields = [
    { name: 'actor', title: 'API key', kind: 'text', placeholder: 'its id' },
    { name: 'operation', title: 'Operation', kind: 'text', placeholder: 'createIncident' },
    { name: 'outcome', title: 'Outcome', kind: 'select', options: outcomes },
  ];
  return part('Requests', '/v1/actions', fields, 'No request like that came.', asked)(context);
}

function asked() {
  return [
    { title: 'Operation', cell: (row) => h('code', null, row.operation) },
    { title: 'By', cell: (row) => [row.actor, h('span', { class: 'sub' }, row.role)] },
    { title: 'Object', cell: (row) => row.object },
    { title: 'Outcome', cell: (row) => [row.outcome, row.code && ` (${row.code})`] },
    { title: 'Simulated', cell: (row) => time(row.at) },
    { title: 'Wall clock', cell: (row) => time(row.happened_wall) },
    { title: 'Request', cell: (row) => h('code', { class: 'digest' }, row.request_id) },
  ];
}
