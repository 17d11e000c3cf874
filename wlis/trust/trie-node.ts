import { digestBytes, digestFrom, type Digest } from './digest.js';
import { bitOf, EMPTY, ENTRY, hashEntries, hashPair, splitOf } from './trie-hash.js';

/**
 * A node as it is held: never changed, so that tries share them. A few documents are held as one array of entries in
 * order, which for millions of them takes a third more than the entries alone; what is hashed does not depend on it.
 */
export type TrieNode = Branch | Bucket;

/** More documents than a bucket may have. */
export interface Branch {
  readonly entries: null;
  readonly zero: TrieNode | null;
  readonly one: TrieNode | null;
  readonly count: number;
  readonly digest: Digest;
}

/** At least one document. */
export interface Bucket {
  readonly entries: Uint8Array;
  readonly zero: null;
  readonly one: null;
  readonly count: number;
  readonly digest: Digest;
}

export const MOST_IN_BUCKET = 32;

export const digestOfNode = (node: TrieNode | null): Digest => node?.digest ?? EMPTY;

/** The node at `depth` for entries from `from` up to `to`, which are in order, each key once. */
export function builtNode(entries: Uint8Array, from: number, to: number, depth: number): TrieNode | null {
  if (from === to) return null;
  if (to - from <= MOST_IN_BUCKET) return bucket(entries.slice(from * ENTRY, to * ENTRY), depth);
  const middle = splitOf(entries, from, to, depth);
  return branch(builtNode(entries, from, middle, depth + 1), builtNode(entries, middle, to, depth + 1));
}

/**
 * The node at `depth` with changes from `from` up to `to`, which are in order, each key once; a record digest of zeros
 * takes the document away. The same node if nothing comes out changed.
 */
export function changedNode(
  node: TrieNode | null,
  changes: Uint8Array,
  from: number,
  to: number,
  depth: number,
): TrieNode | null {
  if (from === to) return node;
  if (node === null || node.entries !== null) {
    const merged = merge(node?.entries ?? none, changes.subarray(from * ENTRY, to * ENTRY));
    const built = builtNode(merged, 0, merged.length / ENTRY, depth);
    return built !== null && built.digest === node?.digest ? node : built;
  }
  const middle = splitOf(changes, from, to, depth);
  const zero = changedNode(node.zero, changes, from, middle, depth + 1);
  const one = changedNode(node.one, changes, middle, to, depth + 1);
  if (zero === node.zero && one === node.one) return node;
  if (countOf(zero) + countOf(one) > MOST_IN_BUCKET) return branch(zero, one);
  const rest = [...(zero === null ? [] : entriesBelow(zero)), ...(one === null ? [] : entriesBelow(one))];
  return rest.length === 0 ? null : bucket(joined(rest), depth);
}

/** The entries of a node in order, a few at a time. */
export function* entriesBelow(node: TrieNode): Generator<Uint8Array> {
  if (node.entries !== null) {
    yield node.entries;
    return;
  }
  if (node.zero !== null) yield* entriesBelow(node.zero);
  if (node.one !== null) yield* entriesBelow(node.one);
}

/** What a node at `depth` has below it at another depth, where the bits of `key` lead. */
export interface Below {
  readonly node: TrieNode | null;
  /** How far branches led: at most `to`. */
  readonly depth: number;
}

/** Follows the branches from the root along a key until a bucket, or nothing, or `to` bits. */
export function follow(root: TrieNode | null, key: Uint8Array, to: number): Below {
  let node = root;
  let depth = 0;
  while (depth < to && node !== null && node.entries === null) {
    node = bitOf(key, 0, depth) === 0 ? node.zero : node.one;
    depth++;
  }
  return { node, depth };
}

/** Which of the entries, in order, is that of a key; -1 if none is. */
export function indexIn(entries: Uint8Array, key: Uint8Array): number {
  let low = 0;
  let high = entries.length / ENTRY;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareKeys(entries, middle * ENTRY, key, 0);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

export function compareKeys(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < 32; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function bucket(entries: Uint8Array, depth: number): Bucket {
  const count = entries.length / ENTRY;
  return { entries, zero: null, one: null, count, digest: digestFrom(hashEntries(entries, 0, count, depth)) };
}

function branch(zero: TrieNode | null, one: TrieNode | null): Branch {
  const digest = digestFrom(hashPair(digestBytes(digestOfNode(zero)), digestBytes(digestOfNode(one))));
  return { entries: null, zero, one, count: countOf(zero) + countOf(one), digest };
}

const countOf = (node: TrieNode | null): number => node?.count ?? 0;

/** Both in order, of a key in both the one from `changes`; those with a record digest of zeros left out. */
function merge(entries: Uint8Array, changes: Uint8Array): Uint8Array {
  const merged = new Uint8Array(entries.length + changes.length);
  let e = 0;
  let c = 0;
  let at = 0;
  while (e < entries.length || c < changes.length) {
    const order = e === entries.length ? 1 : c === changes.length ? -1 : compareKeys(entries, e, changes, c);
    const source = order < 0 ? entries : changes;
    const from = order < 0 ? e : c;
    if (order <= 0) e += ENTRY;
    if (order >= 0) c += ENTRY;
    if (source === changes && isRemoval(changes, from)) continue;
    merged.set(source.subarray(from, from + ENTRY), at);
    at += ENTRY;
  }
  return merged.subarray(0, at);
}

function isRemoval(changes: Uint8Array, at: number): boolean {
  for (let i = at + 32; i < at + ENTRY; i++) if (changes[i] !== 0) return false;
  return true;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const none = new Uint8Array(0);
