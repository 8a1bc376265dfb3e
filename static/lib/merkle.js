// Proofs of a Merkle log (RFC 9162, section 2.1), checked in this browser with its own SHA-256:
// whoever served a proof does not have to be believed.

/** Whether hashes can be made here: browsers do so only on secure pages. */
export function canHash() {
  return Boolean(globalThis.crypto?.subtle);
}

/** The hash of a leaf: SHA-256 of a zero byte and its content. */
export function leafHash(content) {
  return hash([new Uint8Array([0]), content]);
}

/**
 * The root that follows from a leaf, its index, the size of the tree and the hashes of an inclusion
 * proof (section 2.1.3.2); null when the proof has another length than it must.
 */
export async function rootOfInclusion(leaf, index, size, hashes) {
  if (index < 0 || index >= size) return null;
  let [fn, sn] = [BigInt(index), BigInt(size) - 1n];
  let root = leaf;
  for (const sibling of hashes) {
    if (sn === 0n) return null;
    if (fn & 1n || fn === sn) {
      root = await node(sibling, root);
      while (fn !== 0n && !(fn & 1n)) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      root = await node(root, sibling);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n ? root : null;
}

/**
 * The two roots that follow from a consistency proof between two sizes of a tree (section
 * 2.1.4.2), given the root at the smaller one; null when the proof cannot be one.
 */
export async function rootsOfConsistency(from, to, first, hashes) {
  if (from <= 0 || from > to) return null;
  if (from === to) return hashes.length === 0 ? [first, first] : null;
  const power = (from & (from - 1)) === 0;
  const path = power ? [first, ...hashes] : [...hashes];
  if (path.length === 0) return null;
  let [fn, sn] = [BigInt(from) - 1n, BigInt(to) - 1n];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [old, now] = [path[0], path[0]];
  for (const each of path.slice(1)) {
    if (sn === 0n) return null;
    if (fn & 1n || fn === sn) {
      old = await node(each, old);
      now = await node(each, now);
      while (fn !== 0n && !(fn & 1n)) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      now = await node(now, each);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n ? [old, now] : null;
}

/** A note's origin, size and root (hexadecimal), without its signatures; null if it is none. */
export function readCheckpoint(text) {
  const [origin, size, root] = text.split('\n');
  if (!/^\d+$/.test(size ?? '') || !root) return null;
  return { origin, size: Number(size), root: toHex(fromBase64(root)) };
}

/** Bytes from base64. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Bytes from hexadecimal digits. */
export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Hexadecimal digits. */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function node(left, right) {
  return hash([new Uint8Array([1]), left, right]);
}

async function hash(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
}
