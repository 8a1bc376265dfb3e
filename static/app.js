// The beginning: what surrounds all pages, the pages by address, and who may see them.
import { h, put } from './lib/dom.js';
import { href, navigate, onNavigate, start } from './lib/router.js';
import { identity, onChange, signOut } from './lib/session.js';
import { connect, disconnect } from './lib/world.js';
import { build } from './pages/build.js';
import { builds } from './pages/builds.js';
import { drills } from './pages/drills.js';
import { forecast } from './pages/forecast.js';
import { image } from './pages/image.js';
import { images } from './pages/images.js';
import { notFound } from './pages/not-found.js';
import { signInPage } from './pages/sign-in.js';
import { studies } from './pages/studies.js';
import { study } from './pages/study.js';
import { worldBar } from './parts/world-bar.js';

const SIGN_IN = '/ui/sign-in';

// Without a trailing slash; the last one is shown when none fits.
const routes = [
  { pattern: '', page: images },
  { pattern: '/images', page: images },
  { pattern: '/images/:image', page: image },
  { pattern: '/builds', page: builds },
  { pattern: '/builds/:id', page: build },
  { pattern: '/studies', page: studies },
  { pattern: '/studies/:id', page: study },
  { pattern: '/forecast', page: forecast },
  { pattern: '/drills', page: drills },
  { pattern: '/sign-in', page: signInPage },
  { pattern: '*', page: notFound },
];

const NAVIGATION = [
  ['/images', 'Images'],
  ['/builds', 'Builds'],
  ['/studies', 'Studies'],
  ['/forecast', 'Forecast'],
  ['/drills', 'Drills'],
];

const header = document.getElementById('header');
const bar = document.getElementById('world');
const main = document.getElementById('main');
let why = null;

/** Nobody sees a page without having signed in; the address is kept for afterwards. */
function guard(pathname, query) {
  if (identity() || pathname === SIGN_IN) return null;
  const wanted = pathname + (query.size > 0 ? `?${query}` : '');
  const next = wanted === '/ui/' || wanted === '/ui' ? '' : `next=${encodeURIComponent(wanted)}`;
  const reason = why ? `why=${encodeURIComponent(why)}` : '';
  const parameters = [next, reason].filter(Boolean).join('&');
  return parameters ? `${SIGN_IN}?${parameters}` : SIGN_IN;
}

function showHeader() {
  const who = identity();
  const parts = [h('a', { class: 'brand', href: href('/images') }, mark(), 'Wavetank')];
  if (who) {
    // Studies are the platform's.
    const pages = NAVIGATION.filter(([path]) => path !== '/studies' || who.tenant == null);
    parts.push(h('nav', { 'aria-label': 'Pages' }, pages.map(entry)), signedIn(who));
  }
  put(header, h('div', { class: 'header-inside' }, parts));
}

function mark() {
  return h('img', { src: '/assets/icon.svg', alt: '', width: 24, height: 24 });
}

function entry([path, title]) {
  const at = location.pathname;
  const inside = at.startsWith(`/ui${path}`) || (path === '/images' && /^\/ui\/?$/.test(at));
  const link = { href: href(path), 'aria-current': inside ? 'page' : null };
  return h('a', link, title);
}

function signedIn({ role, tenant }) {
  const leave = { type: 'button', class: 'small', on: { click: () => signOut() } };
  return h(
    'div',
    { class: 'who' },
    h('a', { href: '/docs', target: '_blank', rel: 'noopener' }, 'API'),
    h('span', { class: 'quiet' }, `${role} · ${tenant ?? 'all tenants'}`),
    h('button', leave, 'Sign out'),
  );
}

function showBar() {
  if (!identity()) {
    disconnect();
    put(bar);
  } else if (!bar.hasChildNodes()) {
    put(bar, worldBar());
    connect();
  }
}

onChange((reason) => {
  why = reason;
  showBar();
  if (!identity()) navigate(guard(location.pathname, new URLSearchParams(location.search)));
  why = null;
});
onNavigate(showHeader);
document.querySelector('.skip').addEventListener('click', (event) => {
  // The address stays as it is: it belongs to the pages.
  event.preventDefault();
  main.focus();
});
showBar();
start({ routes, outlet: main, guard });
