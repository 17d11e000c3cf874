import { plainPath, type Namespace } from '../../wlis/namespace.js';
import { compareEpochs } from '../../wlis/trust/epoch.js';
import type { SignedHead } from '../../wlis/trust/head.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { NOT_FOUND, recordKey } from '../../wlis/trust/record.js';
import { Trie } from '../../wlis/trust/trie.js';
import { ChangeList, type Change } from '../change-list.js';
import { recordDigestOf } from '../document-record.js';
import type { Edition, Provable } from '../held-namespace.js';

/** The changes that lead from what is held to a newer head, not all of which can be shown yet. */
export interface NextEdition {
  readonly head: SignedHead;
  readonly trie: Trie;
  /** Only what changed; or if it is whole, all there is. */
  readonly list: ChangeList<string>;
  /** It does not go on from what is held: of another epoch, or found by comparing. */
  readonly isWhole: boolean;
}

/** What a list of changes begins from: `held`, the next edition as far as it is known, or nothing. */
export type Beginning = 'next' | 'nothing';

/**
 * What a replica shows and can prove while it goes from one edition to the next: what it holds stays as it is until all of
 * the next one is here; what of that is here is shown already, sets as a whole (rules 2 and 3 of the protocol).
 *
 * Knows nothing of contents: whoever says that a change can be shown has them.
 */
export class ReplicaView {
  readonly #namespace: Namespace;
  #held: Edition | null;
  #next: NextEdition | null = null;
  /** Visible, and ahead of what is held. */
  readonly #shown = new Map<string, Change<string>>();

  constructor(namespace: Namespace, held: Edition | null, shown: readonly Change<string>[]) {
    this.#namespace = namespace;
    this.#held = held;
    for (const change of shown) this.#shown.set(change.path, change);
  }

  get held(): Edition | null {
    return this.#held;
  }

  get next(): NextEdition | null {
    return this.#next;
  }

  /** The newest edition that is known, whether it can be shown or not. */
  get newest(): Pick<Edition, 'head' | 'trie'> | null {
    return this.#next ?? this.#held;
  }

  get shown(): readonly Change<string>[] {
    return [...this.#shown.values()];
  }

  /** While nothing is held yet, all that is known is visible: its contents can be fetched when they are asked for. */
  visible(path: string): Change<string> | undefined {
    return this.#shown.get(path) ?? (this.#held ?? this.#next)?.list.latest(path);
  }

  /** The newest change that is known of every path. */
  *latest(): Generator<Change<string>> {
    const [held, next] = [this.#held, this.#next];
    if (next !== null) yield* next.list.changes();
    if (next?.isWhole === true || held === null) return;
    for (const change of held.list.changes()) if (next?.list.latest(change.path) === undefined) yield change;
  }

  /** An edition that has all that an answer at that path is made of as it is visible. */
  provable(path: string): Provable | null {
    const [held, next] = [this.#held, this.#next];
    const around = this.#around(path);
    if (next === null) return held !== null && !around.some((one) => this.#shown.has(one)) ? held : null;
    const isVisibleBy = ({ list }: Provable): boolean => around.every((one) => list.latest(one) === this.visible(one));
    const coming = this.#coming(next);
    if (isVisibleBy(coming)) return coming;
    return held !== null && isVisibleBy(held) ? held : null;
  }

  /** A head that says the same as the newest that is known, stated anew. */
  renew(head: SignedHead): void {
    if (this.#next !== null) this.#next = { ...this.#next, head };
    else if (this.#held !== null) this.#held = { ...this.#held, head };
  }

  /**
   * Takes changes that lead to a head. In slices, so that others have their turn.
   * @param changes their numbers ascend
   * @throws NotBelieved wrong-proof, malformed: they do not lead there; nothing is changed
   */
  async take(
    changes: readonly Change<string>[],
    head: SignedHead,
    from: Beginning,
    rest: () => Promise<void>,
  ): Promise<void> {
    const before = from === 'next' ? this.newest : null;
    const { epoch, root, seq } = head.head;
    if (before !== null && before.head.head.epoch !== epoch)
      throw new NotBelieved('malformed', 'changes: of another epoch');
    const trie = await this.#trieWith(before?.trie ?? Trie.empty, changes, epoch, rest);
    if (trie.root !== root) {
      throw new NotBelieved('wrong-proof', `changes: they lead to another root than that of the head, number ${seq}`);
    }
    if (from === 'nothing') {
      this.#next = { head, trie, list: new ChangeList({ last: seq, floor: seq, changes }), isWhole: true };
      return;
    }
    const known = this.#next;
    const last = this.newest?.head.head.seq ?? 0;
    const list = known?.list ?? new ChangeList<string>({ last, floor: last, changes: [] });
    list.apply(changes);
    this.#next = { head, trie, list, isWhole: known?.isWhole ?? false };
  }

  /** Makes changes of the next edition visible. */
  show(changes: readonly Change<string>[]): void {
    if (this.#held === null) return;
    for (const change of changes) this.#shown.set(change.path, change);
  }

  /** The next edition is held from now on. */
  commit(): Edition {
    const next = this.#next;
    if (next === null) throw new Error('there is no next edition');
    const { head, trie, isWhole } = next;
    const list = isWhole || this.#held === null ? next.list : this.#held.list;
    if (list !== next.list) list.apply(next.list.changes());
    this.#held = { head, trie, list };
    this.#next = null;
    this.#shown.clear();
    return this.#held;
  }

  /** Whose records say what is at a path: if there is nothing, that is also what stands for it. */
  #around(path: string): readonly string[] {
    if (this.visible(path)?.document != null) return [path];
    const plain = plainPath(path);
    return plain === null ? [path, NOT_FOUND] : [path, plain, NOT_FOUND];
  }

  /** What did not change with the next edition is under its head as well. */
  #coming(next: NextEdition): Provable {
    const held = this.#held;
    if (next.isWhole || held === null) return next;
    return { ...next, list: { latest: (path) => next.list.latest(path) ?? held.list.latest(path) } };
  }

  async #trieWith(
    before: Trie,
    changes: readonly Change<string>[],
    epoch: string,
    rest: () => Promise<void>,
  ): Promise<Trie> {
    let trie = before;
    const namespace = this.#namespace;
    for (let at = 0; at < changes.length; at += slice) {
      if (at > 0) await rest();
      const some = new Map<string, Change<string>>();
      for (const change of changes.slice(at, at + slice)) some.set(change.path, change);
      trie = trie.with(
        [...some.values()].map((change) => ({
          key: recordKey({ namespace, path: change.path }),
          record: recordDigestOf(change, namespace, epoch),
        })),
      );
    }
    return trie;
  }
}

/** So many changes are worked on in one turn: a few milliseconds. */
const slice = 256;

/** Whether a head is of a later epoch than what is known. */
export const beginsEpoch = (known: SignedHead | null, { head }: SignedHead): boolean =>
  known === null || compareEpochs(head.epoch, known.head.epoch) > 0;
