// Addresses and pages. The address holds all the state there is: reloading, going back and sharing
// a link show the same thing. `as_of` travels along with every link.
//
// A page is a function of a context `{ params, query, asOf, signal, again }` that returns a view:
// `{ title, element, update?, leave?, ready? }`. When only the query changes, a view with `update`
// stays and is told; otherwise a new one takes its place and its heading takes the focus.

const BASE = '/ui';

let routes = [];
let outlet = null;
let current = null;
let controller = null;
let guard = () => null;
const listeners = new Set();

/** Starts with the page of the present address. */
export function start(options) {
  ({ routes, outlet, guard } = options);
  history.scrollRestoration = 'manual';
  addEventListener('popstate', (event) => show({ focus: true, scroll: event.state?.scroll ?? 0 }));
  document.addEventListener('click', follow);
  show({ focus: false, scroll: history.state?.scroll ?? 0 });
}

/** Calls `listener(context)` after every navigation. */
export function onNavigate(listener) {
  listeners.add(listener);
}

/** The address of a page, with the instant that is looked at. */
export function href(path, parameters = {}) {
  const query = new URLSearchParams();
  const asOf = new URLSearchParams(location.search).get('as_of');
  const all = { ...parameters, as_of: 'as_of' in parameters ? parameters.as_of : asOf };
  for (const [name, value] of Object.entries(all)) {
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  }
  const text = query.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

/** The present address with some parameters changed; null takes one away. */
export function here(changes) {
  const now = Object.fromEntries(new URLSearchParams(location.search));
  return href(location.pathname.slice(BASE.length), { ...now, ...changes });
}

/** A path from its parts, each escaped. */
export function path(...parts) {
  return `/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
}

/** Goes to an address of these pages. */
export function navigate(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return show({ focus: false, scroll: null });
  history.replaceState({ scroll: scrollY }, '');
  history[replace ? 'replaceState' : 'pushState']({}, '', address);
  return show({ focus: true, scroll: 0 });
}

/** Shows the present address anew. */
export function refresh() {
  show({ focus: false, scroll: null, again: true });
}

function follow(event) {
  const link = event.target.closest?.('a[href]');
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey);
  if (!link || !plain || event.altKey || event.defaultPrevented || link.target) return;
  const address = link.getAttribute('href');
  if (!address.startsWith(`${BASE}/`)) return;
  event.preventDefault();
  navigate(address);
}

function show({ focus, scroll, again = false }) {
  controller?.abort();
  controller = new AbortController();
  const query = new URLSearchParams(location.search);
  const sent = guard(location.pathname, query);
  if (sent) {
    history.replaceState({}, '', sent);
    return show({ focus: true, scroll: 0 });
  }
  const found = find(location.pathname);
  const context = {
    params: found.params,
    query,
    asOf: query.get('as_of'),
    signal: controller.signal,
    again,
  };
  const key = `${found.route.pattern} ${JSON.stringify(found.params)}`;
  if (current?.key === key && current.view.update) {
    current.view.update(context);
  } else {
    current?.view.leave?.();
    const view = found.route.page(context);
    current = { key, view };
    outlet.replaceChildren(view.element);
    if (focus) outlet.querySelector('h1')?.focus({ preventScroll: true });
  }
  document.title = `${current.view.title} · Wavetank`;
  if (scroll !== null) restore(current.view, scroll, controller.signal);
  for (const listener of listeners) listener(context);
}

// What is below the heading comes later; the place in the page is found again when it has.
function restore(view, scroll, signal) {
  scrollTo(0, scroll);
  if (scroll > 0) {
    Promise.resolve(view.ready).then(() => {
      if (!signal.aborted) scrollTo(0, scroll);
    });
  }
}

function find(pathname) {
  const given = pathname.replace(/\/+$/, '').slice(BASE.length).split('/');
  for (const route of routes) {
    const params = match(route.pattern.split('/'), given);
    if (params) return { route, params };
  }
  return { route: routes.at(-1), params: {} };
}

function match(pattern, given) {
  if (pattern.length !== given.length) return null;
  const params = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(':')) {
      const value = decode(given[index]);
      if (!value) return null;
      params[part.slice(1)] = value;
    } else if (part !== given[index]) {
      return null;
    }
  }
  return params;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
