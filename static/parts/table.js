// Tables that become lists of cards where there is no room; and the line below them.
import { h } from '../lib/dom.js';
import { here } from '../lib/router.js';
import { number, stamp } from '../lib/time.js';

/**
 * A table. Columns: `{ title, cell(row), kind? }`, where kind is `number` for what is compared
 * from the right. The first column names the row. Roles are spelled out because a table whose
 * cells are shown as blocks is no table to assistive technology otherwise.
 */
export function table(caption, columns, rows) {
  const head = columns.map(({ title, kind }) =>
    h('th', { scope: 'col', role: 'columnheader', class: kind }, title),
  );
  const body = rows.map((row) =>
    h(
      'tr',
      { role: 'row' },
      columns.map((c, at) => cell(c, at, row)),
    ),
  );
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
    h('tbody', { role: 'rowgroup' }, body),
  );
}

function cell(column, at, row) {
  const content = column.cell(row);
  if (at === 0) return h('th', { scope: 'row', role: 'rowheader' }, content);
  const label = h('span', { class: 'label', 'aria-hidden': 'true' }, column.title);
  const value = h('span', { class: 'value' }, content);
  return h('td', { role: 'cell', class: column.kind }, label, value);
}

/** How many there are, as of when, and the way to the other pages. */
export function foot(page, noun, query) {
  const { items, total, next_page_token: next, as_of: asOf } = page;
  const count = total ? `${total.exact ? '' : 'at least '}${number(total.count)}` : null;
  const shown = `${number(items.length)} ${noun} shown`;
  const text = count === null ? shown : `${shown} of ${count}`;
  const first = query.get('page_token');
  return h(
    'div',
    { class: 'foot' },
    h('p', { role: 'status' }, text, asOf && h('span', { class: 'as-of' }, `as of ${stamp(asOf)}`)),
    (first || next) &&
      h(
        'nav',
        { 'aria-label': `Pages of ${noun}`, class: 'pager' },
        first && h('a', { class: 'button', href: here({ page_token: null }) }, 'First page'),
        next && h('a', { class: 'button', href: here({ page_token: next }) }, 'Next page'),
      ),
  );
}
