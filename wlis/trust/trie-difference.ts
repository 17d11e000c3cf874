import type { Digest } from './digest.js';
import { NotBelieved } from './not-believed.js';
import type { Trie, TrieEntry } from './trie.js';
import { longerPrefix, TriePart, WHOLE, type Prefix } from './trie-part.js';
import { parseSubtree, type Subtree } from './trie-subtree.js';

/** A document in which two tries differ: its record in each, null where it is not there. */
export interface TrieDifference {
  readonly key: Digest;
  readonly own: Digest | null;
  readonly other: Digest | null;
}

/**
 * Gets the other trie, of the root that was given, at some prefixes: for each in turn the text that `subtreeText` makes.
 */
export type FetchSubtrees = (prefixes: readonly Prefix[]) => Promise<readonly string[]>;

/** The most prefixes asked for at once. */
export const MOST_PREFIXES = 64;

/**
 * Finds all documents in which a trie differs from another one, of which the root is known and the rest is asked for:
 * only what lies on the way to a difference, at most 64 prefixes in one request. Every answer is checked against the
 * digest known from above it, so that the whole is as true as the root. What is waiting to be asked for is bounded by
 * the depth of the trie, however much differs.
 * @param most how many differing documents of the other trie are taken before it is given up
 * @throws NotBelieved for the first answer that is wrong; and too-large
 */
export async function* trieDifferences(
  own: Trie,
  otherRoot: Digest,
  fetchSubtrees: FetchSubtrees,
  most = Infinity,
): AsyncGenerator<TrieDifference> {
  const waiting: Asked[] = own.root === otherRoot ? [] : [{ prefix: WHOLE, digest: otherRoot }];
  let others = 0;
  while (waiting.length > 0) {
    // the last ones lie deepest: done first, they keep the list short
    const asked = waiting.splice(-MOST_PREFIXES);
    const texts = await fetchSubtrees(asked.map(({ prefix }) => prefix));
    if (texts.length !== asked.length) {
      throw new NotBelieved('malformed', `trie: ${texts.length} answers for ${asked.length} prefixes`);
    }
    for (const [i, one] of asked.entries()) {
      for (const difference of compared(own, parseSubtree(texts[i] as string, one), waiting)) {
        if (difference.other !== null && ++others > most) {
          throw new NotBelieved('too-large', `trie: more than ${most} other documents`);
        }
        yield difference;
      }
    }
  }
}

interface Asked {
  readonly prefix: Prefix;
  readonly digest: Digest;
}

/** What a subtree tells at once; where it only says that something differs, that goes on the list of what is asked for. */
function* compared(own: Trie, subtree: Subtree, waiting: Asked[]): Generator<TrieDifference> {
  if (subtree.kind === 'entries') {
    yield* comparedEntries(own, subtree.prefix, subtree.entries);
    return;
  }
  for (const [digit, child] of subtree.children.entries()) {
    const prefix = longerPrefix(subtree.prefix, digit);
    if (typeof child !== 'string') {
      yield* comparedEntries(own, prefix, child === null ? [] : [child]);
    } else if (new TriePart(own, prefix).digest !== child) {
      if (prefix.length === 64) throw new NotBelieved('malformed', `trie at '${prefix}': two documents of one key`);
      waiting.push({ prefix, digest: child });
    }
  }
}

/** @param entries all that the other trie has below the prefix */
function* comparedEntries(own: Trie, prefix: Prefix, entries: readonly TrieEntry[]): Generator<TrieDifference> {
  const others = new Map(entries.map(({ key, record }) => [key, record]));
  for (const { key, record } of new TriePart(own, prefix).entries()) {
    const other = others.get(key) ?? null;
    others.delete(key);
    if (other !== record) yield { key, own: record, other };
  }
  for (const [key, other] of others) yield { key, own: null, other };
}
