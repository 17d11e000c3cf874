import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { KeyId } from '../../wlis/trust/public-key.js';

/** A node that is to be told of changes. */
export interface ToldNode {
  readonly id: KeyId;
  /** The preferred one first. */
  readonly urls: readonly string[];
}

/** The nodes that have asked this one to tell them of changes. Each has to ask again in time. */
export class Children {
  readonly #until = new Map<KeyId, MonotonicMs>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns false if there are too many */
  add(id: KeyId, now: MonotonicMs): boolean {
    this.#forgetEnded(now);
    if (!this.#until.has(id) && this.#until.size >= this.#most) return false;
    this.#until.set(id, monotonicMs(now + childTime));
    return true;
  }

  remove(id: KeyId): void {
    this.#until.delete(id);
  }

  ids(now: MonotonicMs): readonly KeyId[] {
    this.#forgetEnded(now);
    return [...this.#until.keys()];
  }

  #forgetEnded(now: MonotonicMs): void {
    for (const [id, until] of this.#until) if (until <= now) this.#until.delete(id);
  }
}

/** How long a child is told without asking again. */
const childTime: Milliseconds = milliseconds(900_000);
/** After what time it is to ask again. */
export const childRenewal: Milliseconds = milliseconds(300_000);
