import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { SignedHead } from '../../wlis/trust/head.js';
import { recordKey } from '../../wlis/trust/record.js';
import { Trie } from '../../wlis/trust/trie.js';
import { ChangeList, type Change } from '../change-list.js';
import { recordDigestOf } from '../document-record.js';
import type { Edition } from '../held-namespace.js';
import { ReplicaJournal, type HeldPoint } from './replica-journal.js';
import { ReplicaView } from './replica-view.js';

export interface RecalledReplica {
  readonly namespace: Namespace;
  readonly path: string;
  readonly logger: Logger;
  /** The statement, verified; null if it is not believed (any more). */
  readonly openHead: (jws: string) => Promise<SignedHead | null>;
}

/** What a replica held when it was stopped, as its journal tells; nothing if that is not to be believed. */
export async function recalled({ namespace, path, logger, openHead }: RecalledReplica) {
  const reading = new Recollection();
  const { journal, found } = await ReplicaJournal.open({ path, namespace }, reading.asReading());
  if (found.state === 'damaged') {
    const { reason } = found;
    logger.warn(
      { code: 'replica-journal-lost', namespace, reason },
      'what a replica holds is not known: it compares anew',
    );
  }
  const held = await edition(reading, namespace, openHead);
  if (held === 'disbelieved') {
    logger.warn(
      { code: 'replica-disbelieved', namespace },
      'what a replica holds is not what its head says: it compares anew',
    );
  }
  const isHeld = held !== null && held !== 'disbelieved';
  const shown = isHeld ? [...reading.visible.values()] : [];
  return { journal, view: new ReplicaView(namespace, isHeld ? held : null, shown), kept: [...reading.kept.values()] };
}

class Recollection {
  point: HeldPoint | null = null;
  list = new ChangeList<string>();
  readonly visible = new Map<string, Change<string>>();
  readonly kept = new Map<string, Change<string>>();

  asReading() {
    return {
      onPoint: (point: HeldPoint, changes: readonly Change<string>[]) => this.#reach(point, changes),
      onVisible: (changes: readonly Change<string>[]) => enter(this.visible, changes),
      onKept: (changes: readonly Change<string>[]) => enter(this.kept, changes),
    };
  }

  #reach(point: HeldPoint, changes: readonly Change<string>[]): void {
    const { last, floor, isWhole } = point;
    if (isWhole) this.list = new ChangeList({ last, floor, changes });
    else this.list.apply(changes);
    this.point = point;
    // a head that was stated anew shows nothing
    if (changes.length > 0 || isWhole) this.visible.clear();
    for (const { path, document } of changes) if (document !== null) this.kept.delete(path);
  }
}

function enter(map: Map<string, Change<string>>, changes: readonly Change<string>[]): void {
  for (const change of changes) map.set(change.path, change);
}

async function edition(
  { point, list }: Recollection,
  namespace: Namespace,
  openHead: RecalledReplica['openHead'],
): Promise<Edition | 'disbelieved' | null> {
  if (point === null) return null;
  const head = await openHead(point.head);
  if (head?.head.epoch !== point.epoch || head.head.seq !== point.last) return 'disbelieved';
  const trie = await trieOf(list, namespace, point.epoch);
  return trie.root === head.head.root ? { head, trie, list } : 'disbelieved';
}

/** The trie of the documents of a list. */
export async function trieOf(list: ChangeList<string>, namespace: Namespace, epoch: string): Promise<Trie> {
  let trie = Trie.empty;
  let some: { readonly key: ReturnType<typeof recordKey>; readonly record: ReturnType<typeof recordDigestOf> }[] = [];
  for (const change of list.changes()) {
    if (change.document === null) continue;
    const key = recordKey({ namespace, path: change.path });
    some.push({ key, record: recordDigestOf(change, namespace, epoch) });
    if (some.length < slice) continue;
    trie = trie.with(some);
    some = [];
    await setImmediate();
  }
  return trie.with(some);
}

const slice = 512;
