import { digestBytes, digestFrom, type Digest } from './digest.js';
import { NotBelieved, quoted } from './not-believed.js';
import type { Trie, TrieEntry } from './trie.js';
import { bitOf, ENTRY, hashEntries, splitOf } from './trie-hash.js';
import { digestOfNode, entriesBelow, follow, type TrieNode } from './trie-node.js';

declare const prefix: unique symbol;

/** The first bits of keys, four to a hexadecimal digit; empty for all of the trie. */
export type Prefix = string & { readonly [prefix]: true };

export const WHOLE = '' as Prefix;

/** @throws NotBelieved malformed */
export function parsePrefix(text: string): Prefix {
  if (!/^[0-9a-f]{0,63}$/.test(text)) throw new NotBelieved('malformed', `${quoted(text)} is no prefix of a key`);
  return text as Prefix;
}

export const longerPrefix = (of: Prefix, digit: number): Prefix => (of + digit.toString(16)) as Prefix;

/** What a trie has below a prefix: a node, or some of the entries of a bucket. */
export class TriePart {
  readonly #node: TrieNode | null;
  readonly #entries: Uint8Array;
  readonly #from: number;
  readonly #to: number;
  readonly #depth: number;

  constructor(trie: Trie, at: Prefix) {
    const key = digestBytes(at.padEnd(64, '0') as Digest);
    this.#depth = 4 * at.length;
    const { node, depth } = follow(trie.node, key, this.#depth);
    const isWhole = node?.entries == null || depth === this.#depth;
    this.#node = isWhole ? node : null;
    this.#entries = isWhole ? none : node.entries;
    let from = 0;
    let to = this.#entries.length / ENTRY;
    for (let bit = depth; bit < this.#depth && from < to; bit++) {
      const middle = splitOf(this.#entries, from, to, bit);
      if (bitOf(key, 0, bit) === 0) to = middle;
      else from = middle;
    }
    this.#from = from;
    this.#to = to;
  }

  get size(): number {
    return this.#node?.count ?? this.#to - this.#from;
  }

  get digest(): Digest {
    if (this.size === 0 || this.#node !== null) return digestOfNode(this.#node);
    return digestFrom(hashEntries(this.#entries, this.#from, this.#to, this.#depth));
  }

  /** In the order of their keys. */
  *entries(): Generator<TrieEntry> {
    if (this.#node === null) {
      yield* listed(this.#entries, this.#from, this.#to);
      return;
    }
    for (const entries of entriesBelow(this.#node)) yield* listed(entries, 0, entries.length / ENTRY);
  }
}

function* listed(entries: Uint8Array, from: number, to: number): Generator<TrieEntry> {
  for (let at = from * ENTRY; at < to * ENTRY; at += ENTRY) {
    yield { key: digestFrom(entries, at), record: digestFrom(entries, at + 32) };
  }
}

const none = new Uint8Array(0);
