// API keys: who may do what. A key is shown once, when it is made.
import { get, post, remove } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { Problem } from '../lib/problem.js';
import { refresh } from '../lib/router.js';
import { none, time } from '../lib/time.js';
import { action } from '../parts/action.js';
import { given } from '../parts/filters.js';
import { field } from '../parts/field.js';
import { load, problem } from '../parts/states.js';
import { foot, table } from '../parts/table.js';

const ROLES = [
  ['viewer', 'viewer: reads'],
  ['editor', 'editor: reads and writes'],
  ['orchestrator', 'orchestrator: completes builds'],
  ['admin', 'admin: everything'],
];

/** The page. */
export function keys(context) {
  const results = h('div', { class: 'results' });
  const title = h('h1', { tabindex: -1 }, 'API keys');
  const element = h('div', null, title, creation(), results);
  const update = ({ query, signal }) => {
    const fetch = () => get('/v1/api-keys', { ...given(query, []), as_of: null }, signal);
    const show = (page) => [table('API keys', COLUMNS, page.items), foot(page, 'keys', query)];
    view.ready = load(results, signal, fetch, show);
  };
  const view = { title: 'API keys', element, update };
  update(context);
  return view;
}

function creation() {
  const [name, role, tenant, days] = [
    field('key-name', 'Name', { maxlength: 64, required: true }),
    field('key-role', 'Role', { options: ROLES }),
    field('key-tenant', 'Only for tenant', { maxlength: 63, placeholder: 'all tenants' }),
    field('key-days', 'Ends after days', { type: 'number', min: 1, placeholder: 'never' }),
  ];
  const told = h('div', { role: 'status' });
  const submit = async (event) => {
    event.preventDefault();
    put(told, h('p', null, 'asking …'));
    try {
      const made = await post('/v1/api-keys', {
        name: name.input.value.trim(),
        role: role.input.value,
        tenant_namespace: tenant.input.value.trim() || undefined,
        expires_in_days: Number(days.input.value) || undefined,
      });
      put(told, shown(made.api_key));
      refresh();
    } catch (error) {
      put(told, problem(Problem.from(error)));
    }
  };
  const button = h('button', { type: 'submit' }, 'Make a key');
  const fields = [name, role, tenant, days].map((each) => each.element);
  const form = h('form', { class: 'filters', on: { submit } }, fields, button);
  return h('section', { class: 'panel' }, h('h2', null, 'A new key'), form, told);
}

function shown(key) {
  return h(
    'p',
    { class: 'notice' },
    'Keep this key now; it cannot be shown again: ',
    h('code', { class: 'secret' }, key),
  );
}

const COLUMNS = [
  { title: 'Name', cell: (row) => [row.name, h('span', { class: 'sub' }, row.id)] },
  { title: 'Role', cell: (row) => row.role },
  { title: 'Tenant', cell: (row) => row.tenant_namespace ?? 'all tenants' },
  { title: 'Made', cell: (row) => [time(row.created_wall), by(row.created_by)] },
  { title: 'Last used', cell: (row) => (row.last_used_wall ? time(row.last_used_wall) : 'never') },
  { title: 'Ends', cell: (row) => (row.expires_wall ? time(row.expires_wall) : 'never') },
  { title: 'Revoked', cell: (row) => (row.revoked_wall ? time(row.revoked_wall) : revoke(row)) },
];

function by(name) {
  return name ? h('span', { class: 'sub' }, `by ${name}`) : none();
}

function revoke(row) {
  const act = async () => {
    await remove(`/v1/api-keys/${encodeURIComponent(row.id)}`);
    setTimeout(refresh, 500);
    return 'revoked';
  };
  return action('Revoke', act, { label: `Revoke ${row.name}`, sure: 'Revoke for good?' });
}
