import { digestBytes, digestFrom, putDigest, type Digest } from './digest.js';
import { NotBelieved } from './not-believed.js';
import type { Trie, TrieEntry } from './trie.js';
import { bitOf, EMPTY, ENTRY, hashEntries, hashPair, splitOf } from './trie-hash.js';
import { digestOfNode } from './trie-node.js';

/** The way from a document, or from the place where it would be, to the root. */
export interface Proof {
  /** What lies on the other side at each bit of the key, the first bit first. */
  readonly siblings: readonly Digest[];
  /** What stands where the key would be: null for the document itself, or for nothing. */
  readonly end: 'document' | 'nothing' | TrieEntry;
}

/** Proves that the document of a key is there, with which record; or that there is none. */
export function prove(trie: Trie, key: Digest): { readonly record: Digest | null; readonly proof: Proof } {
  const bits = digestBytes(key);
  const siblings: Digest[] = [];
  let { node } = trie;
  while (node !== null && node.entries === null) {
    const [own, other] = bitOf(bits, 0, siblings.length) === 0 ? [node.zero, node.one] : [node.one, node.zero];
    siblings.push(digestOfNode(other));
    node = own;
  }
  const last = node === null ? null : narrow(node.entries, bits, siblings);
  if (last === null) return { record: null, proof: { siblings, end: 'nothing' } };
  if (last.key !== key) return { record: null, proof: { siblings, end: last } };
  return { record: last.record, proof: { siblings, end: 'document' } };
}

/** @throws NotBelieved wrong-proof unless the trie of that root has this record under the key */
export function checkPresence(root: Digest, { key, record }: TrieEntry, proof: Proof): void {
  if (proof.end !== 'document') throw wrong('it is of absence');
  if (rootOf(key, leafDigest({ key, record }), proof.siblings) !== root) throw wrong('it does not lead to the root');
}

/** @throws NotBelieved wrong-proof unless the trie of that root has nothing under the key */
export function checkAbsence(root: Digest, key: Digest, proof: Proof): void {
  const { siblings, end } = proof;
  if (end === 'document') throw wrong('it is of presence');
  if (end === 'nothing') {
    if (rootOf(key, EMPTY, siblings) !== root) throw wrong('it does not lead to the root');
    return;
  }
  if (end.key === key) throw wrong('what stands in its place is the document itself');
  if (!sharesBits(end.key, key, siblings.length)) throw wrong('what stands in its place belongs elsewhere');
  if (rootOf(key, leafDigest(end), siblings) !== root) throw wrong('it does not lead to the root');
}

/** Narrows the entries of a bucket down to the one where the key would be; what is left aside goes to the siblings. */
function narrow(entries: Uint8Array, key: Uint8Array, siblings: Digest[]): TrieEntry | null {
  let from = 0;
  let to = entries.length / ENTRY;
  while (to - from > 1) {
    const depth = siblings.length;
    const middle = splitOf(entries, from, to, depth);
    const isZero = bitOf(key, 0, depth) === 0;
    const [otherFrom, otherTo] = isZero ? [middle, to] : [from, middle];
    siblings.push(digestFrom(hashEntries(entries, otherFrom, otherTo, depth + 1)));
    if (isZero) to = middle;
    else from = middle;
  }
  if (from === to) return null;
  return { key: digestFrom(entries, from * ENTRY), record: digestFrom(entries, from * ENTRY + 32) };
}

function rootOf(key: Digest, end: Digest, siblings: readonly Digest[]): Digest {
  // an only document stands at the uppermost place where it is alone, and nothing stands only beside something
  if (siblings.at(-1) === EMPTY) throw wrong('it ends beside nothing');
  const bits = digestBytes(key);
  let node = digestBytes(end);
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = digestBytes(siblings[depth] as Digest);
    node = bitOf(bits, 0, depth) === 0 ? hashPair(node, sibling) : hashPair(sibling, node);
  }
  return digestFrom(node);
}

function leafDigest({ key, record }: TrieEntry): Digest {
  const entry = new Uint8Array(ENTRY);
  putDigest(key, entry, 0);
  putDigest(record, entry, 32);
  return digestFrom(hashEntries(entry, 0, 1, 0));
}

function sharesBits(a: Digest, b: Digest, count: number): boolean {
  const [x, y] = [digestBytes(a), digestBytes(b)];
  for (let depth = 0; depth < count; depth++) if (bitOf(x, 0, depth) !== bitOf(y, 0, depth)) return false;
  return true;
}

const wrong = (fault: string): NotBelieved => new NotBelieved('wrong-proof', `proof: ${fault}`);
