// The beginning: what surrounds all pages, the pages by address, and who may see them.
import { h, put } from './lib/dom.js';
import { href, navigate, onNavigate, start } from './lib/router.js';
import { identity, onChange, signOut } from './lib/session.js';
import { connect, disconnect } from './lib/world.js';
import { advisories } from './pages/advisories.js';
import { advisory } from './pages/advisory.js';
import { build } from './pages/build.js';
import { builds } from './pages/builds.js';
import { customer } from './pages/customer.js';
import { customers } from './pages/customers.js';
import { drills } from './pages/drills.js';
import { forecast } from './pages/forecast.js';
import { image } from './pages/image.js';
import { images } from './pages/images.js';
import { jobs } from './pages/jobs.js';
import { keys } from './pages/keys.js';
import { logs } from './pages/logs.js';
import { notFound } from './pages/not-found.js';
import { notifications } from './pages/notifications.js';
import { scenario, scenarios } from './pages/scenarios.js';
import { signInPage } from './pages/sign-in.js';
import { sla } from './pages/sla.js';
import { studies } from './pages/studies.js';
import { study } from './pages/study.js';
import { webhook, webhooks } from './pages/webhooks.js';
import { worldBar } from './parts/world-bar.js';

const SIGN_IN = '/ui/sign-in';

// Without a trailing slash; the last one is shown when none fits.
const routes = [
  { pattern: '', page: images },
  { pattern: '/images', page: images },
  { pattern: '/images/:image', page: image },
  { pattern: '/builds', page: builds },
  { pattern: '/builds/:id', page: build },
  { pattern: '/advisories', page: advisories },
  { pattern: '/advisories/:cve', page: advisory },
  { pattern: '/sla', page: sla },
  { pattern: '/customers', page: customers },
  { pattern: '/customers/:tenant', page: customer },
  { pattern: '/jobs', page: jobs },
  { pattern: '/logs', page: logs },
  { pattern: '/notifications', page: notifications },
  { pattern: '/webhooks', page: webhooks },
  { pattern: '/webhooks/:id', page: webhook },
  { pattern: '/scenarios', page: scenarios },
  { pattern: '/scenarios/:name', page: scenario },
  { pattern: '/keys', page: keys },
  { pattern: '/studies', page: studies },
  { pattern: '/studies/:id', page: study },
  { pattern: '/forecast', page: forecast },
  { pattern: '/drills', page: drills },
  { pattern: '/sign-in', page: signInPage },
  { pattern: '*', page: notFound },
];

// Path, title, and who sees it: everybody, the platform's own people, or its admins. The first ones
// stand in the header, the others behind `More`.
const NAVIGATION = [
  ['/images', 'Images'],
  ['/advisories', 'CVEs'],
  ['/sla', 'SLA'],
  ['/customers', 'Customers'],
  ['/builds', 'Builds'],
  ['/studies', 'Studies', 'platform'],
  ['/forecast', 'Forecast'],
  ['/drills', 'Drills'],
];
const MORE = [
  ['/notifications', 'Notifications'],
  ['/webhooks', 'Webhooks'],
  ['/logs', 'Logs'],
  ['/jobs', 'Jobs', 'platform'],
  ['/scenarios', 'Scenarios'],
  ['/keys', 'API keys', 'admin'],
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
    const seen = ([, , only]) => maySee(who, only);
    const links = [NAVIGATION.filter(seen).map(entry), more(MORE.filter(seen))];
    parts.push(h('nav', { 'aria-label': 'Pages' }, links), signedIn(who));
  }
  put(header, h('div', { class: 'header-inside' }, parts));
}

function more(pages) {
  const inside = pages.find(([path]) => location.pathname.startsWith(`/ui${path}`));
  const summary = h('summary', { 'aria-current': inside ? 'page' : null }, inside?.[1] ?? 'More');
  return h('details', { class: 'more' }, summary, h('div', null, pages.map(entry)));
}

function maySee({ role, tenant }, only) {
  return !only || (tenant == null && (only === 'platform' || role === only));
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
const closeMore = (event) => {
  const open = header.querySelector('.more[open]');
  if (!open || (event.type === 'click' && open.contains(event.target))) return;
  if (event.type === 'keydown' && event.key !== 'Escape') return;
  open.open = false;
  if (event.type === 'keydown') open.querySelector('summary').focus();
};
document.addEventListener('click', closeMore);
document.addEventListener('keydown', closeMore);
document.querySelector('.skip').addEventListener('click', (event) => {
  // The address stays as it is: it belongs to the pages.
  event.preventDefault();
  main.focus();
});
showBar();
start({ routes, outlet: main, guard });
