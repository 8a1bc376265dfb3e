// The API's client: adds the token, reads answers, and throws problems.
import { Problem } from './problem.js';
import { refused, token } from './session.js';

/** GETs a JSON answer. Parameters that are empty are left out. */
export async function get(path, parameters = {}, signal = undefined) {
  const response = await send(withQuery(path, parameters), { signal });
  return response.json();
}

/** POSTs JSON and reads a JSON answer. */
export async function post(path, body, signal = undefined) {
  const headers = { 'content-type': 'application/json' };
  const response = await send(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers,
    signal,
  });
  return response.json();
}

/** PATCHes or PUTs JSON and reads a JSON answer. */
export async function change(method, path, body, signal = undefined) {
  const headers = { 'content-type': 'application/json' };
  const response = await send(path, { method, body: JSON.stringify(body), headers, signal });
  return response.json();
}

/** DELETEs what is at a path. */
export async function remove(path, signal = undefined) {
  await send(path, { method: 'DELETE', signal });
}

/** GETs a document as text, up to `limit` bytes; `whole` tells whether that is all. */
export async function text(path, limit, signal = undefined) {
  const response = await send(path, { signal });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let read = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: read + decoder.decode(), whole: true };
    bytes += value.length;
    read += decoder.decode(value, { stream: true });
    if (bytes >= limit) {
      await reader.cancel();
      return { text: read, whole: false };
    }
  }
}

/**
 * Fetches a document with the token and hands it to the browser to save, under the server's name
 * for it if there is no better one: one document can belong to several builds.
 */
export async function save(path, name) {
  const response = await send(path, {});
  const named = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '');
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name ?? (named ? named[1] : 'document');
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Opens a stream of events; the caller reads the body. */
export function stream(path, headers, signal) {
  return send(path, { headers: { accept: 'text/event-stream', ...headers }, signal });
}

/** A path with its query; empty parameters are left out. */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== '');
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

async function send(path, request) {
  const { signal } = request;
  let response = await attempt(path, request);
  if (response.status === 401 && (await refused())) {
    response = await attempt(path, request);
  }
  const wait = Number(response.headers.get('retry-after'));
  if ((response.status === 429 || response.status === 503) && wait > 0 && wait <= 5) {
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    signal?.throwIfAborted();
    response = await attempt(path, request);
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}

async function attempt(path, request) {
  const bearer = await token();
  const authorization = bearer ? { authorization: `Bearer ${bearer}` } : {};
  try {
    return await fetch(path, { ...request, headers: { ...request.headers, ...authorization } });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw Problem.unreachable();
  }
}
