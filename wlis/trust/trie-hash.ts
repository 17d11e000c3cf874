import type { Digest } from './digest.js';
import { sha256Into } from './sha256.js';

/**
 * What the digests of the trie are of. A node stands for the documents whose keys begin with certain bits:
 *
 *   none          32 zero bytes
 *   one           SHA-256(00 ‖ key ‖ record digest)                          however few bits the node stands for
 *   two or more   SHA-256(01 ‖ node of the next bit 0 ‖ node of the next bit 1)
 *
 * so that the digest of the whole depends on nothing but the set of documents. The first byte keeps one kind of node from
 * passing for the other (as in RFC 9162 §2.1.1).
 */
export const EMPTY = '0'.repeat(64) as Digest;

/** Bytes of a key and the digest of a record behind it. */
export const ENTRY = 64;

/** The digest of the node at `depth` bits for the entries from `from` up to `to`, which are in order and share those bits. */
export function hashEntries(entries: Uint8Array, from: number, to: number, depth: number): Uint8Array {
  const digest = new Uint8Array(32);
  hashInto(entries, from, to, depth, digest, 0);
  return digest;
}

/** The digest of a node with two or more documents. */
export function hashPair(zero: Uint8Array, one: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32);
  pair.set(zero, 1);
  pair.set(one, 33);
  sha256Into(pair, 0, 65, digest, 0);
  return digest;
}

/** The bit of a key at `depth`, counted from the left; the key begins at `at`. */
export const bitOf = (keys: Uint8Array, at: number, depth: number): number =>
  ((keys[at + (depth >> 3)] as number) >> (7 - (depth & 7))) & 1;

/** The first of the entries from `from` up to `to`, in order and alike up to `depth`, whose next bit is 1; `to` if none. */
export function splitOf(entries: Uint8Array, from: number, to: number, depth: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bitOf(entries, middle * ENTRY, depth) === 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hashInto(entries: Uint8Array, from: number, to: number, depth: number, target: Uint8Array, at: number): void {
  if (to === from) {
    target.fill(0, at, at + 32);
    return;
  }
  if (to - from === 1) {
    leaf.set(entries.subarray(from * ENTRY, to * ENTRY), 1);
    sha256Into(leaf, 0, 65, target, at);
    return;
  }
  const middle = splitOf(entries, from, to, depth);
  const base = 65 * depth;
  hashInto(entries, from, middle, depth + 1, levels, base + 1);
  hashInto(entries, middle, to, depth + 1, levels, base + 33);
  sha256Into(levels, base, base + 65, target, at);
}

const leaf = new Uint8Array(65);
const pair = new Uint8Array(65);
pair[0] = 1;

/** What is hashed at each depth, while what it is made of is being worked out. */
const levels = new Uint8Array(65 * 256);
for (let depth = 0; depth < 256; depth++) levels[65 * depth] = 1;
