import { monotonicMs, seconds, toSeconds, milliseconds, type MonotonicMs, type Seconds } from '../../config/units.js';
import { clientKey, type ClientPrefix } from '../http/client-prefix.js';

/** Attempts to log in that may fail at once, and how long it takes until one more may. */
const burst = 10;
const recovery = milliseconds(10_000);
const capacity = milliseconds(burst * recovery);

/** Clients remembered, twice at most. Beyond that, those seen longest ago begin anew. */
const mostClients = 16_384;

/**
 * Keeps clients from guessing: ten attempts may fail at once, and one more every ten seconds. A client's account is
 * written as the time at which all its failures are forgiven (the generic cell rate algorithm), in two generations of
 * which the older one is dropped when everything in it is forgiven.
 */
export class FailedAttempts {
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();
  #turnedAt: MonotonicMs = monotonicMs(-Infinity);

  constructor(private readonly prefix: ClientPrefix) {}

  /** Clients remembered. */
  get clients(): number {
    return this.#recent.size + this.#earlier.size;
  }

  /**
   * Begins an attempt, which counts as failed until it has succeeded. Null if it may be made, otherwise how long the
   * client has to wait.
   */
  begin(address: string, now: MonotonicMs): Seconds | null {
    if (now - this.#turnedAt >= capacity || this.#recent.size >= mostClients) this.#turn(now);
    const key = clientKey(address, this.prefix);
    const forgivenAt = Math.max(this.#recent.get(key) ?? this.#earlier.get(key) ?? -Infinity, now) + recovery;
    const excess = forgivenAt - now - capacity;
    if (excess > 0) return seconds(Math.ceil(toSeconds(milliseconds(excess))));
    this.#recent.set(key, forgivenAt);
    return null;
  }

  /** An attempt of that client was no failure. */
  succeeded(address: string): void {
    const key = clientKey(address, this.prefix);
    const table = this.#recent.has(key) ? this.#recent : this.#earlier;
    const forgivenAt = table.get(key);
    if (forgivenAt !== undefined) table.set(key, forgivenAt - recovery);
  }

  #turn(now: MonotonicMs): void {
    this.#turnedAt = now;
    this.#earlier = this.#recent;
    this.#recent = new Map();
  }
}
