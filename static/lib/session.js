// Who is signed in. An API key is exchanged for a token that holds for some minutes; the token
// lives in this tab only. The key stays in memory, so that the token can be renewed, and in the
// tab's storage only if the user asks for it.
import { Problem } from './problem.js';

const STORED = 'wavetank.session';
const RENEW_BEFORE_MS = 90_000;

let session = restore();
let renewing = null;
let timer = 0;
const listeners = new Set();

/** `{ role, tenant }` of the one who is signed in, or null. */
export function identity() {
  return session && { role: session.role, tenant: session.tenant };
}

/** Calls `listener(reason)` whenever somebody has signed in or out. */
export function onChange(listener) {
  listeners.add(listener);
}

/** Exchanges a key for a token. Throws a `Problem` when it is not taken. */
export async function signIn(key, keep) {
  await exchange(key, keep);
  announce(null);
}

/** Forgets everything. `reason` is shown on the sign-in page. */
export function signOut(reason = null) {
  session = null;
  clearTimeout(timer);
  sessionStorage.removeItem(STORED);
  announce(reason);
}

/** A token that holds, renewed if it is about to end and the key is known; or null. */
export async function token() {
  if (!session) return null;
  const left = session.endsAt - Date.now();
  if (left < RENEW_BEFORE_MS && session.key) {
    const renewed = await renew().catch((error) => error);
    if (renewed instanceof Problem && left <= 0) throw renewed;
  } else if (left <= 0) {
    signOut('Your session has ended.');
  }
  return session && session.token;
}

/** After the API has refused the token: tries the key once more, or signs out. */
export async function refused() {
  if (!session) return false;
  if (!session.key) {
    signOut('Your session has ended.');
    return false;
  }
  await renew();
  return session !== null;
}

function renew() {
  const { key, keep } = session;
  renewing ??= exchange(key, keep)
    .catch((problem) => {
      if (problem.status === 401) signOut('Your API key is no longer valid.');
      throw problem;
    })
    .finally(() => {
      renewing = null;
    });
  return renewing;
}

async function exchange(key, keep) {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ api_key: key }),
  };
  const response = await fetch('/v1/auth/token', request).catch(() => {
    throw Problem.unreachable();
  });
  if (!response.ok) throw await Problem.of(response);
  const answer = await response.json();
  session = {
    token: answer.access_token,
    endsAt: Date.now() + answer.expires_in * 1000,
    role: answer.role,
    tenant: answer.tenant_namespace ?? null,
    key,
    keep,
  };
  store();
  schedule();
}

function store() {
  const { key, ...rest } = session;
  sessionStorage.setItem(STORED, JSON.stringify(session.keep ? { ...rest, key } : rest));
}

function restore() {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED));
    const usable = found && typeof found.token === 'string' && found.endsAt > Date.now();
    if (usable || (found && typeof found.key === 'string')) return found;
  } catch {
    // What cannot be read is no session.
  }
  return null;
}

function schedule() {
  clearTimeout(timer);
  if (!session) return;
  const wait = Math.max(0, session.endsAt - Date.now() - (session.key ? RENEW_BEFORE_MS : 0));
  timer = setTimeout(
    () => {
      token().catch(() => schedule());
    },
    Math.max(wait, 1000),
  );
}

function announce(reason) {
  for (const listener of listeners) listener(reason);
}

schedule();
