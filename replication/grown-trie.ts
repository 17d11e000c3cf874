import { setImmediate } from 'node:timers/promises';
import type { Namespace } from '../wlis/namespace.js';
import type { Epoch } from '../wlis/trust/epoch.js';
import { recordKey } from '../wlis/trust/record.js';
import type { Trie, TrieChange } from '../wlis/trust/trie.js';
import type { Change } from './change-list.js';
import { recordDigestOf } from './document-record.js';

/** Of what the records are that the trie has. */
export interface TriePlace {
  readonly namespace: Namespace;
  readonly epoch: Epoch;
}

/**
 * The trie with these changes, in their order. Of many the process has its turn in between.
 * @param isOver looked at then: whether nobody wants it any more, so that null is given
 */
export async function grownTrie(
  trie: Trie,
  changes: Iterable<Change<string>>,
  { namespace, epoch }: TriePlace,
  isOver: () => boolean,
): Promise<Trie | null> {
  const parts = new Map<string, Map<string, TrieChange>>();
  let count = 0;
  for (const change of changes) {
    if (++count % changesAtOnce === 0) {
      await setImmediate();
      if (isOver()) return null;
    }
    const key = recordKey({ namespace, path: change.path });
    const part = partOf(parts, key);
    part.set(key, { key, record: recordDigestOf(change, namespace, epoch) });
  }
  let grown = trie;
  for (const part of count <= changesAtOnce ? [joined(parts)] : parts.values()) {
    grown = grown.with(part.values());
    if (count <= changesAtOnce) continue;
    await setImmediate();
    if (isOver()) return null;
  }
  return grown;
}

/** Some 2 ms of work. */
const changesAtOnce = 200;

/** Keys with the same beginning: what is put in at once is below one branch, so that no other is made more than once. */
function partOf(parts: Map<string, Map<string, TrieChange>>, key: string): Map<string, TrieChange> {
  const beginning = key.slice(0, 2);
  const part = parts.get(beginning) ?? new Map<string, TrieChange>();
  parts.set(beginning, part);
  return part;
}

function joined(parts: ReadonlyMap<string, ReadonlyMap<string, TrieChange>>): ReadonlyMap<string, TrieChange> {
  const all = new Map<string, TrieChange>();
  for (const part of parts.values()) for (const [key, change] of part) all.set(key, change);
  return all;
}
