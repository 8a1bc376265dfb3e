// Server-sent events over fetch, because EventSource cannot send a token. After a break the stream
// begins again behind the last event that was seen.
import { stream } from './api.js';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Watches a stream until `signal` is aborted. `onEvent(event)` gets each event's data;
 * `onState(state, problem)` is told `open` and `waiting`.
 */
export async function watch(path, { signal, onEvent, onState }) {
  let last = null;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    let problem = null;
    try {
      const headers = last === null ? {} : { 'last-event-id': last };
      const response = await stream(path, headers, signal);
      onState('open', null);
      wait = FIRST_WAIT_MS;
      await read(response.body, (message) => {
        if (message.id !== null) last = message.id;
        onEvent(JSON.parse(message.data));
      });
    } catch (error) {
      if (signal.aborted) return;
      problem = error;
    }
    onState('waiting', problem);
    // Not all at once, when a server comes back that many have waited for.
    await pause(wait * (0.5 + Math.random() / 2), signal);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

/** Reads messages until the stream ends. */
export async function read(body, onMessage) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let message = { id: null, data: [] };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) message = take(line, message, onMessage);
  }
}

function take(line, message, onMessage) {
  if (line === '') {
    if (message.data.length > 0) onMessage({ id: message.id, data: message.data.join('\n') });
    return { id: null, data: [] };
  }
  const colon = line.indexOf(':');
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (field === 'data') message.data.push(value);
  if (field === 'id') message.id = value;
  return message;
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
