// One study: how far it is, and when it has ended its answers, its arms and its documents.
import { get, post, stream } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { read } from '../lib/events.js';
import { href } from '../lib/router.js';
import { identity } from '../lib/session.js';
import { number, stamp } from '../lib/time.js';
import { facts, section, state } from '../parts/badges.js';
import { saveButton } from '../parts/save.js';
import { empty, load, problem } from '../parts/states.js';
import { table } from '../parts/table.js';
import { played } from './studies.js';

const AGAIN_MS = 1_000;

/** The page. */
export function study(context) {
  const results = h('div', { class: 'results' });
  const title = h('h1', { tabindex: -1 }, 'Study');
  const up = h('p', null, h('a', { href: href('/studies') }, 'Studies'));
  const element = h('div', null, up, title, results);
  const address = `/v1/studies/${encodeURIComponent(context.params.id)}`;
  const update = ({ signal }) => {
    const show = (row) => {
      put(title, row.title);
      return [...page(row, again, signal)];
    };
    const again = () => load(results, signal, () => get(address, {}, signal), show);
    view.ready = again();
  };
  const view = { title: 'Study', element, update };
  update(context);
  return view;
}

function page(row, again, signal) {
  const parts = [section('The study', [particulars(row), ...way(row, again, signal)])];
  if (row.summary) {
    parts.push(
      section('Answers', answers(row.summary)),
      section('Arms', arms(row.summary)),
      section('Documents', documents(row)),
    );
  }
  const source = h('pre', { class: 'log', tabindex: 0, role: 'region', 'aria-label': 'Study' });
  parts.push(section('As it was written', put(source, row.study)));
  return parts;
}

function particulars(row) {
  return facts([
    ['Status', h('span', { role: 'status' }, state(row.status))],
    ['Replications of each arm', played(row)],
    ['First seed', row.seed],
    ['Kernel', row.kernel_version],
    ['Asked for', stamp(row.created_wall)],
    ['Ended', row.ended_wall && stamp(row.ended_wall)],
    ['Waits for', row.obstacle],
    ['Failed', row.error],
  ]);
}

/** While it goes on: a bar that moves, and a way to stop it. */
function way(row, again, signal) {
  if (row.status !== 'queued' && row.status !== 'running') return [];
  const bar = h('progress', { max: Math.max(row.expected, 1), value: row.done });
  bar.setAttribute('aria-label', 'Replications played');
  const told = h('p', { role: 'status' }, `${played(row)} replications`);
  follow(row, signal, (event) => {
    if (event.type === 'ended') {
      again();
      return;
    }
    bar.max = Math.max(event.expected, 1);
    bar.value = event.done;
    put(told, `${played(event)} replications`, event.obstacle && `: ${event.obstacle}`);
  });
  const role = identity()?.role;
  const may = (role === 'admin' || role === 'editor') && identity().tenant == null;
  return [bar, told, may && cancelButton(row, again)];
}

async function follow(row, signal, onEvent) {
  let ended = false;
  while (!signal.aborted && !ended) {
    try {
      const response = await stream(`${row.href}/events`, {}, signal);
      await read(response.body, (message) => {
        const event = JSON.parse(message.data);
        ended ||= event.type === 'ended';
        if (!signal.aborted) onEvent(event);
      });
    } catch (error) {
      if (signal.aborted) return;
      console.warn(error);
    }
    if (!ended) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function cancelButton(row, again) {
  const told = h('span', { role: 'status' });
  const button = h('button', { type: 'button', class: 'small' }, 'Cancel');
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await post(`${row.href}/cancel`, {});
      again();
    } catch (error) {
      put(told, problem(error));
      button.disabled = false;
    }
  });
  return h('span', { class: 'save' }, button, told);
}

function answers(summary) {
  const rest = h('p', { class: 'quiet' }, summary.stopping);
  if (summary.answers.length === 0) {
    return [empty('The study asks no question.', 'Its figures are below.'), rest];
  }
  const columns = [
    { title: 'Question', cell: (row) => row.question },
    { title: 'Answer', cell: (row) => [row.answer, h('span', { class: 'sub' }, row.basis)] },
  ];
  return [table('Answers', columns, summary.answers), rest];
}

/** A row for each figure, a column for each arm. */
function arms(summary) {
  const first = summary.arms[0]?.measures ?? [];
  const same = (a, b) => a.words === b.words && a.statistic === b.statistic;
  const of = (arm, figure) => arm.measures.find((measure) => same(measure, figure));
  const columns = [
    { title: 'Figure', cell: (figure) => named(figure) },
    ...summary.arms.map((arm) => ({
      title: arm.name,
      cell: (figure) => interval(of(arm, figure)),
    })),
  ];
  const percent = Math.round(summary.confidence * 1000) / 10;
  return [
    table('Arms', columns, first),
    h('p', { class: 'quiet' }, `Estimates with ${percent} % intervals over replications.`),
  ];
}

function named({ words, unit, statistic }) {
  const kind = { median: ', median', p90: ', 90 % quantile' }[statistic] ?? '';
  return [`${words}${kind}`, unit && h('span', { class: 'sub' }, unit)];
}

function interval(measure) {
  if (!measure || measure.estimate == null) return '–';
  const scale = measure.unit === '%' ? 100 : 1;
  const digits = (value) => figure(value * scale);
  const limit = (value) => (value == null ? '–' : digits(value));
  const limits =
    measure.lower == null && measure.upper == null
      ? 'no limits'
      : `${limit(measure.lower)} to ${limit(measure.upper)}`;
  return [digits(measure.estimate), h('span', { class: 'sub' }, limits)];
}

function figure(value) {
  const size = Math.abs(value);
  if (size >= 1000) return number(Math.round(value));
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4);
}

function documents(row) {
  const file = (suffix) => `${row.name}-${row.id}.${suffix}`;
  const all = [
    ['Report', 'One page with plots; it needs nothing else', 'report', 'html'],
    ['Replications', 'A row a replication and arm, for R and pandas', 'replications', 'csv'],
    ['Result', 'All figures, curves and comparisons', 'result', 'json'],
  ].map(([title, what, path, suffix]) => ({ title, what, path, suffix }));
  const columns = [
    { title: 'Document', cell: (of) => [of.title, h('span', { class: 'sub' }, of.what)] },
    {
      title: 'Get it',
      cell: (of) => saveButton(`${row.href}/${of.path}`, of.title, file(of.suffix)),
    },
  ];
  return table('Documents', columns, all);
}
