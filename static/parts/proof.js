// Checks a log entry in this browser, step by step: each step says what was compared.
import { get, text } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import {
  canHash,
  fromBase64,
  fromHex,
  leafHash,
  readCheckpoint,
  rootOfInclusion,
  rootsOfConsistency,
  toHex,
} from '../lib/merkle.js';
import { Problem } from '../lib/problem.js';
import { number } from '../lib/time.js';

/** Checkpoints and bundles are smaller by far. */
const LIMIT = 4_000_000;

/**
 * A button that checks an entry of `log`: `{ log_index, leaf_hash, bundle_href? }`, as of an
 * instant, so that proof and checkpoint speak of the same tree.
 */
export function proofButton(log, entry, asOf) {
  const told = h('ol', { class: 'proof', role: 'status' });
  const title = 'Verify here';
  const label = `Verify here: entry ${entry.log_index}`;
  const button = h('button', { type: 'button', class: 'small', 'aria-label': label }, title);
  button.addEventListener('click', async () => {
    put(told);
    if (!canHash()) {
      say(told, null, 'This browser makes hashes only on https and on this machine itself.');
      return;
    }
    button.disabled = true;
    try {
      await verify(log, entry, asOf, told);
    } catch (error) {
      const problem = Problem.from(error);
      say(told, false, `${problem.title} (${problem.code})`);
    } finally {
      button.disabled = false;
    }
  });
  return h('div', { class: 'proof-of' }, button, told);
}

async function verify(log, entry, asOf, told) {
  const base = `/v1/logs/${log}`;
  const leaf = fromHex(entry.leaf_hash);
  if (entry.bundle_href) await sameLeaf(entry, told);
  const index = entry.log_index;
  const proof = await get(`${base}/inclusion-proof`, { index, as_of: asOf });
  const root = await rootOfInclusion(leaf, index, proof.tree_size, proof.hashes.map(fromHex));
  const included = root !== null && toHex(root) === proof.root;
  const size = number(proof.tree_size);
  const way = `${proof.hashes.length} hashes lead from the entry to the root of ${size} entries`;
  say(told, included, `Inclusion: ${way}.`);
  const query = asOf ? `?as_of=${encodeURIComponent(asOf)}` : '';
  const note = readCheckpoint((await text(`${base}/checkpoint${query}`, LIMIT)).text);
  if (note && note.size > proof.tree_size) {
    await consistent(base, proof, note, asOf, told);
  } else {
    const same = note !== null && note.size === proof.tree_size && note.root === proof.root;
    say(told, same, `Checkpoint: ${note?.origin ?? 'none'} has signed that root.`);
  }
}

// A world that runs has grown since: the newer tree must begin with the older one.
async function consistent(base, proof, note, asOf, told) {
  const [from, to] = [proof.tree_size, note.size];
  const between = await get(`${base}/consistency-proof`, { from, to, as_of: asOf });
  const hashes = between.hashes.map(fromHex);
  const roots = await rootsOfConsistency(from, to, fromHex(proof.root), hashes);
  const same = roots !== null && toHex(roots[0]) === proof.root && toHex(roots[1]) === note.root;
  const grown = `the tree of ${number(to)} entries begins with that of ${number(from)}`;
  say(told, same, `Consistency: ${grown}, and ${note.origin} has signed it.`);
}

async function sameLeaf(entry, told) {
  const bundle = JSON.parse((await text(entry.bundle_href, LIMIT)).text);
  const [logged] = bundle.verificationMaterial?.tlogEntries ?? [];
  const body = logged?.canonicalizedBody;
  if (!body) {
    say(told, false, 'Entry: the bundle holds none.');
    return;
  }
  const same = toHex(await leafHash(fromBase64(body))) === entry.leaf_hash;
  say(told, same, "Entry: the hash of the bundle's entry is that of the log.");
}

function say(told, good, words) {
  const verdict = good === null ? 'not checked' : good ? 'verified' : 'does not hold';
  const tone = good === null ? 'warn' : good ? 'good' : 'bad';
  told.append(h('li', null, h('span', { class: `state ${tone}` }, verdict), ` ${words}`));
}
