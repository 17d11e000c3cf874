import { bytes, elapsedMonotonic, milliseconds, toSeconds, type Bytes, type MonotonicMs } from '../../config/units.js';
import type { Clock } from './clock.js';

/** How much a node has had to do in the last few seconds. */
export interface LoadReading {
  /** Share of the time in which its one thread was busy: 0 for nothing to do, 1 for all that it can do. */
  readonly load: number;
  /** Exchanges that ended, in a second. */
  readonly rps: number;
  /** Bytes sent to clients in a second. */
  readonly bps: Bytes;
}

/** Time in which the thread was busy, and in which it waited, since it began. */
export type BusyTime = () => { readonly active: number; readonly idle: number };

/**
 * Measures what a node has to do. A measurement goes from one reading to the next, at least a second, and counts by how long it
 * was: what happened five seconds ago counts for a third.
 */
export class NodeLoad {
  readonly #clock: Clock;
  readonly #busyTime: BusyTime;
  #at: MonotonicMs;
  #before: ReturnType<BusyTime>;
  #exchanges = 0;
  #sent = 0;
  #reading: LoadReading = { load: 0, rps: 0, bps: bytes(0) };

  constructor(clock: Clock, busyTime: BusyTime = () => performance.eventLoopUtilization()) {
    this.#clock = clock;
    this.#busyTime = busyTime;
    this.#at = clock.monotonic();
    this.#before = busyTime();
  }

  /** An exchange has ended. */
  count(sent: Bytes): void {
    this.#exchanges++;
    this.#sent += sent;
  }

  read(): LoadReading {
    const now = this.#clock.monotonic();
    const time = elapsedMonotonic(this.#at, now);
    if (time < shortest) return this.#reading;
    const busy = this.#busyTime();
    const active = busy.active - this.#before.active;
    const all = active + busy.idle - this.#before.idle;
    const seconds = toSeconds(milliseconds(time));
    const kept = Math.exp(-(seconds / memory));
    const mixed = (before: number, measured: number): number => before * kept + measured * (1 - kept);
    this.#reading = {
      load: mixed(this.#reading.load, all > 0 ? active / all : 0),
      rps: mixed(this.#reading.rps, this.#exchanges / seconds),
      bps: bytes(mixed(this.#reading.bps, this.#sent / seconds)),
    };
    this.#at = now;
    this.#before = busy;
    this.#exchanges = 0;
    this.#sent = 0;
    return this.#reading;
  }
}

const shortest = milliseconds(1000);
/** In seconds. */
const memory = 5;
