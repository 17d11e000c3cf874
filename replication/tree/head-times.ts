import { milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { ListVersion } from '../replica-standing.js';

/** When the last versions of a namespace were published, so that it can be said since when a replica lacks something. */
export class HeadTimes {
  readonly #most: number;
  /** Ascending. */
  #known: { readonly version: ListVersion; readonly at: MonotonicMs }[] = [];

  constructor(most = 4096) {
    this.#most = most;
  }

  /** A head was published; one that only renews another changes nothing. */
  note({ epoch, seq }: ListVersion, now: MonotonicMs): void {
    const last = this.#known.at(-1)?.version;
    if (last?.epoch === epoch && seq <= last.seq) return;
    if (last?.epoch !== epoch) this.#known = [];
    this.#known.push({ version: { epoch, seq }, at: now });
    // not one by one: all behind it would have to move
    if (this.#known.length > 2 * this.#most) this.#known = this.#known.slice(-this.#most);
  }

  /** How long there has been something that is not in that version; as far back as is known. */
  lacking(held: ListVersion | null, now: MonotonicMs): Milliseconds {
    const isOther = held?.epoch !== this.#known[0]?.version.epoch;
    let [low, high] = [0, isOther ? 0 : this.#known.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#known[middle]?.version.seq ?? 0) > (held?.seq ?? 0)) high = middle;
      else low = middle + 1;
    }
    const first = this.#known[low];
    return milliseconds(first === undefined ? 0 : now - first.at);
  }
}
