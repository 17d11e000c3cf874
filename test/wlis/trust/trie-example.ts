import fc from 'fast-check';
import { digestFrom, digestOfText, type Digest } from '../../../wlis/trust/digest.js';
import type { Trie, TrieChange, TrieEntry } from '../../../wlis/trust/trie.js';
import type { FetchSubtrees } from '../../../wlis/trust/trie-difference.js';
import { subtreeAt, subtreeText } from '../../../wlis/trust/trie-subtree.js';

/** The entries of docs/vectors/trie.json. */
export const numbered = (from: number, to: number): TrieEntry[] =>
  Array.from({ length: to - from }, (_, i) => ({
    key: digestOfText(`key ${from + i}`),
    record: digestOfText(`record ${from + i}`),
  }));

/**
 * Keys that lie far apart and such that share many of their first bits, as they would if somebody chose URIs for that;
 * few enough that sets of them overlap.
 */
export const keys: fc.Arbitrary<Digest> = fc
  .tuple(fc.constantFrom(0, 0x80, 0xff, 0x81), fc.constantFrom(0, 2, 31), fc.nat(11))
  .map(([first, at, last]) => {
    const key = new Uint8Array(32);
    key[0] = first;
    key[at] = (key[at] ?? 0) ^ (last * 16 + 1);
    return digestFrom(key);
  });

export const records: fc.Arbitrary<Digest> = fc.nat(3).map((n) => digestOfText(`record ${n}`));

export const contents: fc.Arbitrary<Map<Digest, Digest>> = fc
  .array(fc.tuple(keys, records), { maxLength: 120 })
  .map((pairs) => new Map(pairs));

export const entriesOf = (map: ReadonlyMap<Digest, Digest>): TrieEntry[] =>
  [...map].map(([key, record]) => ({ key, record }));

/** What makes one set of the other. */
export function changesBetween(from: ReadonlyMap<Digest, Digest>, to: ReadonlyMap<Digest, Digest>): TrieChange[] {
  const gone = [...from.keys()].filter((key) => !to.has(key)).map((key) => ({ key, record: null }));
  return [...gone, ...entriesOf(to)];
}

/** Answers for a trie as a node would, and counts what it was asked. */
export function served(trie: Trie): { fetch: FetchSubtrees; asked: { requests: number; prefixes: number } } {
  const asked = { requests: 0, prefixes: 0 };
  const fetch: FetchSubtrees = (prefixes) => {
    asked.requests++;
    asked.prefixes += prefixes.length;
    return Promise.resolve(prefixes.map((prefix) => subtreeText(subtreeAt(trie, prefix))));
  };
  return { fetch, asked };
}
