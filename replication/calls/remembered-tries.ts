import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Version } from '../../wlis/trust/epoch.js';
import type { Trie } from '../../wlis/trust/trie.js';
import type { Edition, HeldNamespace } from '../held-namespace.js';

/** A trie that somebody was told of. */
export interface RememberedTrie {
  readonly trie: Trie;
  readonly version: Version;
}

interface Kept extends RememberedTrie {
  usedAt: MonotonicMs;
  /** Whether anybody has compared with it; those that nobody has are forgotten first. */
  isUsed: boolean;
}

/**
 * Of each namespace the tries of the heads that were told last, so that whoever was told of one can go on comparing with it
 * while the namespace changes. They share what stayed the same. At most so many, and none that nobody asks for.
 */
export class RememberedTries {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #keep: Milliseconds;
  /** In the order of their last use. */
  readonly #tries = new WeakMap<HeldNamespace, Map<Digest, Kept>>();

  /** @param keep how long after its last use */
  constructor(clock: Clock, { most = 32, keep = tenMinutes }: { most?: number; keep?: Milliseconds } = {}) {
    this.#clock = clock;
    this.#most = most;
    this.#keep = keep;
  }

  /** Somebody is told of this edition. */
  told(held: HeldNamespace, edition: Edition): void {
    const tries = this.#triesOf(held);
    const { root } = edition.head.head;
    this.#use(tries, root, tries.get(root) ?? this.#kept(edition));
    if (tries.size > this.#most) forgetOne(tries);
  }

  /** The trie with that root, if it is not forgotten; somebody compares with it. */
  get(held: HeldNamespace, root: Digest): RememberedTrie | null {
    const tries = this.#triesOf(held);
    const { edition } = held;
    if (edition?.head.head.root === root) this.told(held, edition);
    const kept = tries.get(root);
    if (kept === undefined) return null;
    kept.isUsed = true;
    this.#use(tries, root, kept);
    return kept;
  }

  /** Whether at that version the trie had another root, as far as that is remembered. */
  contradicts(held: HeldNamespace, { epoch, seq }: Version, rootBegin: string): boolean {
    for (const [root, { version }] of this.#triesOf(held)) {
      if (version.epoch === epoch && version.seq === seq) return !root.startsWith(rootBegin);
    }
    return false;
  }

  #triesOf(held: HeldNamespace): Map<Digest, Kept> {
    const tries = this.#tries.get(held) ?? new Map<Digest, Kept>();
    this.#tries.set(held, tries);
    const now = this.#clock.monotonic();
    for (const [root, { usedAt }] of tries) {
      if (elapsedMonotonic(usedAt, now) < this.#keep) break;
      tries.delete(root);
    }
    return tries;
  }

  #use(tries: Map<Digest, Kept>, root: Digest, kept: Kept): void {
    kept.usedAt = this.#clock.monotonic();
    tries.delete(root);
    tries.set(root, kept);
  }

  #kept(edition: Edition): Kept {
    const { epoch, seq } = edition.head.head;
    return { trie: edition.trie, version: { epoch, seq }, usedAt: this.#clock.monotonic(), isUsed: false };
  }
}

function forgetOne(tries: Map<Digest, Kept>): void {
  const all = [...tries];
  // the last one is what somebody is being told of
  const [root] = all.slice(0, -1).find(([, { isUsed }]) => !isUsed) ?? all[0] ?? [];
  if (root !== undefined) tries.delete(root);
}

const tenMinutes = milliseconds(600_000);
