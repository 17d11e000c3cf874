import { canonicalJson, parseCanonicalJson, type Json } from './canonical-json.js';
import { digestBytes, digestFrom, parseDigest, putDigest, type Digest } from './digest.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';
import type { Trie, TrieEntry } from './trie.js';
import { EMPTY, ENTRY, hashEntries, hashPair } from './trie-hash.js';
import { longerPrefix, TriePart, type Prefix } from './trie-part.js';

/** What is sent of a trie at a prefix: all entries if they are few, otherwise what the next digit leads to. */
export type Subtree =
  | { readonly kind: 'entries'; readonly prefix: Prefix; readonly entries: readonly TrieEntry[] }
  | { readonly kind: 'children'; readonly prefix: Prefix; readonly children: readonly SubtreeChild[] };

/** Of one of sixteen: nothing, the only entry, or the digest of two and more. */
export type SubtreeChild = Digest | TrieEntry | null;

/** The most entries that are listed instead of children. */
export const MOST_LISTED = 16;

export function subtreeAt(trie: Trie, prefix: Prefix): Subtree {
  const part = new TriePart(trie, prefix);
  if (part.size <= MOST_LISTED) return { kind: 'entries', prefix, entries: [...part.entries()] };
  const children = Array.from({ length: 16 }, (_, digit): SubtreeChild => {
    const child = new TriePart(trie, longerPrefix(prefix, digit));
    return child.size > 1 ? child.digest : ([...child.entries()][0] ?? null);
  });
  return { kind: 'children', prefix, children };
}

/** One line of a list. */
export function subtreeText(subtree: Subtree): string {
  const { prefix } = subtree;
  if (subtree.kind === 'entries') return canonicalJson({ prefix, entries: subtree.entries.map(entryJson) });
  const children = subtree.children.map((child) => (isEntry(child) ? entryJson(child) : child));
  return canonicalJson({ prefix, children });
}

/**
 * Reads what was sent for a prefix and checks it against the digest that is known of it: by the node above, or by a head.
 * @throws NotBelieved malformed, too-large, wrong-subject, wrong-digest
 */
export function parseSubtree(text: string, expected: { prefix: Prefix; digest: Digest }): Subtree {
  const { prefix } = expected;
  const what = `trie at '${prefix}'`;
  const members = new Members(parseCanonicalJson(text, what, LONGEST_SUBTREE), what);
  const said = members.text('prefix', 64);
  if (said !== prefix) throw new NotBelieved('wrong-subject', `${what}: of ${quoted(said)} instead`);
  const subtree: Subtree = members.has('entries')
    ? { kind: 'entries', prefix, entries: parseEntries(members.list('entries', MOST_LISTED), prefix) }
    : { kind: 'children', prefix, children: parseChildren(members.list('children', 16), prefix) };
  members.end();
  if (digestOfSubtree(subtree) !== expected.digest) throw new NotBelieved('wrong-digest', `${what}: another digest`);
  return subtree;
}

const digestOfSubtree = (subtree: Subtree): Digest =>
  digestFrom(
    subtree.kind === 'entries'
      ? hashed(subtree.entries, 4 * subtree.prefix.length)
      : folded(subtree.children, 0, subtree.children.length),
  );

/** The node of some of the children: the only entry stands for itself, however few bits it was put under. */
function folded(children: readonly SubtreeChild[], from: number, to: number): Uint8Array {
  const some = children.slice(from, to).filter((child) => child !== null);
  const [only] = some;
  if (only === undefined) return digestBytes(EMPTY);
  if (some.length === 1 && isEntry(only)) return hashed([only], 0);
  if (to - from === 1) return digestBytes(only as Digest);
  const middle = (from + to) / 2;
  return hashPair(folded(children, from, middle), folded(children, middle, to));
}

function hashed(list: readonly TrieEntry[], depth: number): Uint8Array {
  const entries = new Uint8Array(list.length * ENTRY);
  for (const [i, { key, record }] of list.entries()) {
    putDigest(key, entries, i * ENTRY);
    putDigest(record, entries, i * ENTRY + 32);
  }
  return hashEntries(entries, 0, list.length, depth);
}

const entryJson = ({ key, record }: TrieEntry): Json => [key, record];

const isEntry = (child: SubtreeChild): child is TrieEntry => typeof child === 'object' && child !== null;

function parseEntries(list: readonly Json[], prefix: Prefix): TrieEntry[] {
  const entries = list.map((one) => parseEntry(one, prefix));
  for (const [i, { key }] of entries.entries()) {
    const before = entries[i - 1];
    if (before !== undefined && key <= before.key) throw wrong(prefix, 'entries out of order');
  }
  return entries;
}

function parseChildren(list: readonly Json[], prefix: Prefix): SubtreeChild[] {
  if (list.length !== 16) throw wrong(prefix, `${list.length} children instead of 16`);
  return list.map((one, digit) => {
    if (one === null) return null;
    if (typeof one !== 'string') return parseEntry(one, longerPrefix(prefix, digit));
    const digest = parseDigest(one, `trie at '${prefix}'`);
    if (digest === EMPTY) throw wrong(prefix, 'nothing given as something');
    return digest;
  });
}

function parseEntry(value: Json, prefix: Prefix): TrieEntry {
  const [key, record, ...more] = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (typeof key !== 'string' || typeof record !== 'string' || more.length > 0) {
    throw wrong(prefix, 'an entry that is no pair of digests');
  }
  if (!key.startsWith(prefix)) throw wrong(prefix, 'a key that begins otherwise');
  if (record === EMPTY) throw wrong(prefix, 'nothing given as something');
  return { key: parseDigest(key, `trie at '${prefix}'`), record: parseDigest(record, `trie at '${prefix}'`) };
}

const wrong = (prefix: Prefix, fault: string): NotBelieved =>
  new NotBelieved('malformed', `trie at '${prefix}': ${fault}`);

/** In characters. */
export const LONGEST_SUBTREE = 8192;
