import { digestBytes, digestFrom, putDigest, type Digest } from './digest.js';
import { sortEntries } from './entry-order.js';
import { ENTRY } from './trie-hash.js';
import { changedNode, compareKeys, digestOfNode, entriesBelow, follow, indexIn, type TrieNode } from './trie-node.js';

/** A document as the trie knows it. */
export interface TrieEntry {
  /** SHA-256 of its canonical URI. */
  readonly key: Digest;
  /** SHA-256 of its record. */
  readonly record: Digest;
}

/** An entry that is to be there, or with null: to be there no longer. */
export interface TrieChange {
  readonly key: Digest;
  readonly record: Digest | null;
}

/**
 * A Merkle map from key to record digest (see trie-hash.ts). It is never changed; `with` gives another one that shares
 * with it what stayed the same, so that a node in mid-change holds both for the price of the difference.
 */
export class Trie {
  static readonly empty = new Trie(null);

  /** The uppermost node, for what reads tries: null if there is no document. */
  readonly node: TrieNode | null;

  private constructor(node: TrieNode | null) {
    this.node = node;
  }

  static of(entries: Iterable<TrieEntry>): Trie {
    return Trie.empty.with(entries);
  }

  /** Says everything that is there, what is not, and in which version. */
  get root(): Digest {
    return digestOfNode(this.node);
  }

  /** How many documents there are. */
  get size(): number {
    return this.node?.count ?? 0;
  }

  /** The digest of the record, null if there is none. */
  get(key: Digest): Digest | null {
    const bytes = digestBytes(key);
    const { node } = follow(this.node, bytes, 256);
    if (node?.entries == null) return null;
    const index = indexIn(node.entries, bytes);
    return index < 0 ? null : digestFrom(node.entries, index * ENTRY + 32);
  }

  /**
   * This, with changes in whatever order. This itself if they change nothing.
   * @throws RangeError if a key is changed twice
   */
  with(changes: Iterable<TrieChange>): Trie {
    const sorted = arranged(changes);
    const node = changedNode(this.node, sorted, 0, sorted.length / ENTRY, 0);
    return node === this.node ? this : new Trie(node);
  }

  /** All documents, in the order of their keys. */
  *entries(): Generator<TrieEntry> {
    if (this.node === null) return;
    for (const entries of entriesBelow(this.node)) {
      for (let at = 0; at < entries.length; at += ENTRY) {
        yield { key: digestFrom(entries, at), record: digestFrom(entries, at + 32) };
      }
    }
  }
}

function arranged(changes: Iterable<TrieChange>): Uint8Array {
  let entries = new Uint8Array(16 * ENTRY);
  let at = 0;
  for (const { key, record } of changes) {
    if (at === entries.length) {
      const larger = new Uint8Array(2 * at);
      larger.set(entries);
      entries = larger;
    }
    putDigest(key, entries, at);
    if (record !== null) putDigest(record, entries, at + 32);
    at += ENTRY;
  }
  const sorted = entries.subarray(0, at);
  sortEntries(sorted);
  for (let i = ENTRY; i < at; i += ENTRY) {
    if (compareKeys(sorted, i - ENTRY, sorted, i) === 0) {
      throw new RangeError(`the document ${digestFrom(sorted, i)} is changed twice`);
    }
  }
  return sorted;
}
