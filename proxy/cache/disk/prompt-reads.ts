import { milliseconds, type MonotonicMs } from '../../../config/units.js';
import type { Clock } from '../../base/clock.js';
import type { FileSystem } from './file-system.js';

/** What the kernel has in memory comes in a few microseconds; no disk is as fast as this. */
const slow = milliseconds(0.1);
const shortestPause = milliseconds(50);
const longestPause = milliseconds(10_000);
/** Slow again within so many pauses: the next one is twice as long. */
const soon = 8;

/**
 * Whether small reads are made at once instead of by the threads of the pool, which take more time to be asked than the
 * kernel takes to give what it has in memory. A read that had to wait for the disk kept everybody waiting: for a while from
 * then on the threads wait instead, the longer the more often that happens. So a disk holds up the program for one read in
 * ten seconds, if it goes on being slow.
 */
export class PromptReads {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #system: Pick<FileSystem, 'fetched'>;
  #fetched: number | null;
  #pause: number = shortestPause;
  #until = -Infinity;

  constructor(clock: Pick<Clock, 'monotonic'>, system: Pick<FileSystem, 'fetched'>) {
    this.#clock = clock;
    this.#system = system;
    this.#fetched = system.fetched();
  }

  /** Whether the next small read is to be made at once, by `make`. */
  areOn(): boolean {
    return this.#until === -Infinity || this.#clock.monotonic() >= this.#until;
  }

  /** Makes a read, and learns from the time that it takes. */
  make<T>(read: () => T): T {
    const began = this.#clock.monotonic();
    try {
      return read();
    } finally {
      const now = this.#clock.monotonic();
      if (now - began > slow && this.#hasFetched()) this.#rest(now);
    }
  }

  /** A busy machine takes its time too: it was the disk only if something came from there since the last slow read. */
  #hasFetched(): boolean {
    const before = this.#fetched;
    this.#fetched = this.#system.fetched();
    return this.#fetched === null || this.#fetched !== before;
  }

  #rest(now: MonotonicMs): void {
    const isAgain = now < this.#until + soon * this.#pause;
    this.#pause = isAgain ? Math.min(longestPause, this.#pause * 2) : shortestPause;
    this.#until = now + this.#pause;
  }
}
