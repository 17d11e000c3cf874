import { epochMs, milliseconds, type EpochMs, type Milliseconds } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Namespace } from './namespace.js';

/**
 * The time by which calls are dated and statements expire (decision 23): the own clock, corrected by what the primaries of the
 * namespaces here say, the median of them. Differences that a round trip explains are none.
 */
export class CorrectedTime {
  readonly #clock: Clock;
  readonly #offsets = new Map<Namespace, Milliseconds>();
  #offset = milliseconds(0);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly now = (): EpochMs => epochMs(this.#clock.now() + this.#offset);

  /** How far the clock of this node is behind that of the primaries; negative if it is ahead. */
  get offset(): Milliseconds {
    return this.#offset;
  }

  /** @param offset what has to be added to the own clock to get that of the primary of this namespace */
  note(namespace: Namespace, offset: Milliseconds): void {
    this.#offsets.set(namespace, Math.abs(offset) < negligible ? milliseconds(0) : offset);
    this.#settle();
  }

  forget(namespace: Namespace): void {
    this.#offsets.delete(namespace);
    this.#settle();
  }

  #settle(): void {
    const sorted = [...this.#offsets.values()].sort((a, b) => a - b);
    this.#offset = sorted[sorted.length >> 1] ?? milliseconds(0);
  }
}

const negligible = milliseconds(5000);
