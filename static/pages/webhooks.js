// Webhooks: where notifications are sent, what arrived, and what did not.
import { change, get, post, remove } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { href, refresh } from '../lib/router.js';
import { identity } from '../lib/session.js';
import { none, number, time } from '../lib/time.js';
import { state, words } from '../parts/badges.js';
import { action } from '../parts/action.js';
import { field } from '../parts/field.js';
import { given } from '../parts/filters.js';
import { empty, load, problem } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const SEVERITIES = [['', 'any'], ...['low', 'medium', 'high', 'critical'].map((s) => [s, s])];

/** The page of all endpoints. */
export function webhooks(context) {
  const results = h('div', { class: 'results' });
  const up = h('p', null, h('a', { href: href('/notifications') }, 'Notifications'));
  const title = h('h1', { tabindex: -1 }, 'Webhooks');
  const element = h('div', null, up, title, mayWrite() && creation(), results);
  const update = ({ query, signal }) => {
    const fetch = () => get('/v1/webhook-endpoints', { ...given(query, []), as_of: null }, signal);
    view.ready = load(results, signal, fetch, (page) => list(page, query));
  };
  const view = { title: 'Webhooks', element, update };
  update(context);
  return view;
}

function mayWrite() {
  return ['admin', 'editor'].includes(identity()?.role);
}

function list(page, query) {
  if (page.items.length === 0) {
    return empty('Nothing is sent anywhere.', 'An endpoint gets notifications by signed POSTs.');
  }
  return [table('Endpoints', columns(), page.items), foot(page, 'endpoints', query)];
}

function columns() {
  const all = [
    { title: 'Address', cell: (row) => [link(row), h('span', { class: 'sub' }, row.description)] },
    { title: 'Of', cell: (row) => row.tenant_namespace ?? 'all tenants' },
    { title: 'About', cell: (row) => (row.kinds ?? ['everything']).map(words).join(', ') },
    { title: 'From severity', cell: (row) => row.min_severity ?? 'any' },
    { title: 'Gathered for', kind: 'number', cell: (row) => `${row.digest_window_seconds} s` },
    { title: 'State', cell: standing },
  ];
  return mayWrite() ? [...all, { title: 'Do', cell: deeds }] : all;
}

function link(row) {
  return h('a', { href: href(`/webhooks/${encodeURIComponent(row.id)}`) }, row.url);
}

function standing(row) {
  if (row.enabled) return state('active');
  return [h('span', { class: 'state warn' }, 'off'), ' ', row.disabled_reason];
}

function deeds(row) {
  const address = `/v1/webhook-endpoints/${encodeURIComponent(row.id)}`;
  const soon = (word) => {
    setTimeout(refresh, 500);
    return word;
  };
  const test = async () => `test ${(await post(`${address}/test`, {})).state}`;
  const turn = async () => {
    await change('PATCH', address, { enabled: !row.enabled });
    return soon(row.enabled ? 'off' : 'on');
  };
  const drop = async () => {
    await remove(address);
    return soon('deleted');
  };
  return [
    action('Send a test', test, { label: `Send a test to ${row.url}` }),
    action(row.enabled ? 'Turn off' : 'Turn on', turn),
    action('Delete', drop, { label: `Delete ${row.url}`, sure: 'Delete for good?' }),
  ];
}

function creation() {
  const [url, description, severity, tenant] = [
    field('hook-url', 'Address', { type: 'url', required: true, placeholder: 'https://…' }),
    field('hook-description', 'Description', { maxlength: 200 }),
    field('hook-severity', 'From severity', { options: SEVERITIES }),
    field('hook-tenant', 'Only of tenant', { maxlength: 63, placeholder: 'all tenants' }),
  ];
  const told = h('div', { role: 'status' });
  const submit = async (event) => {
    event.preventDefault();
    put(told, h('p', null, 'asking …'));
    try {
      const made = await post('/v1/webhook-endpoints', {
        url: url.input.value.trim(),
        description: description.input.value.trim() || undefined,
        min_severity: severity.input.value || undefined,
        tenant_namespace: tenant.input.value.trim() || undefined,
      });
      const secret = h('code', { class: 'secret' }, made.secret);
      const keep = 'Keep its secret now; it is not shown again: ';
      put(told, h('p', { class: 'notice' }, keep, secret));
      refresh();
    } catch (error) {
      put(told, problem(error));
    }
  };
  const fields = [url, description, severity, tenant].map((each) => each.element);
  const form = h(
    'form',
    { class: 'filters', on: { submit } },
    fields,
    h('button', { type: 'submit' }, 'Add the endpoint'),
  );
  return h('section', { class: 'panel' }, h('h2', null, 'A new endpoint'), form, told);
}

/** The page of one endpoint: its deliveries. */
export function webhook(context) {
  const { id } = context.params;
  const address = `/v1/webhook-endpoints/${encodeURIComponent(id)}`;
  const title = h('h1', { tabindex: -1 }, 'Deliveries');
  const results = h('div', { class: 'results' });
  const up = h('p', null, h('a', { href: href('/webhooks') }, 'Webhooks'));
  const element = h('div', null, up, title, results);
  const update = ({ query, signal }) => {
    const asked = { ...given(query, ['state']), as_of: null };
    const fetch = () => get(`${address}/deliveries`, asked, signal);
    view.ready = load(results, signal, fetch, (page) => {
      if (page.items.length === 0) return empty('Nothing was sent yet.', 'Send a test, or wait.');
      return [table('Deliveries', DELIVERIES, page.items), foot(page, 'deliveries', query)];
    });
  };
  const view = { title: 'Deliveries', element, update };
  update(context);
  return view;
}

const TONES = { delivered: 'good', dead: 'bad' };

const DELIVERIES = [
  { title: 'Delivery', cell: (row) => h('code', { class: 'digest' }, row.id) },
  { title: 'What', cell: (row) => words(row.kind) },
  { title: 'Notifications', kind: 'number', cell: (row) => number(row.notifications) },
  {
    title: 'State',
    cell: (row) => h('span', { class: `state ${TONES[row.state] ?? ''}` }, words(row.state)),
  },
  { title: 'Tries', kind: 'number', cell: (row) => number(row.attempts) },
  { title: 'Answer', cell: (row) => row.last_status ?? row.last_error ?? none() },
  { title: 'Made', cell: (row) => time(row.created_wall) },
  { title: 'Next try', cell: (row) => time(row.next_wall) },
  { title: 'Decide', cell: decide },
];

function decide(row) {
  if (row.state !== 'dead' || !mayWrite()) return none();
  const act = (what) => async () => {
    await post(`/v1/webhook-deliveries/${encodeURIComponent(row.id)}/${what}`, {});
    setTimeout(refresh, 500);
    return what === 'retry' ? 'tried again' : 'discarded';
  };
  return [action('Retry', act('retry')), action('Discard', act('discard'))];
}
