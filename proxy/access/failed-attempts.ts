import { milliseconds, seconds, toSeconds, type MonotonicMs, type Seconds } from '../../config/units.js';
import { ClientAllowance } from '../http/client-allowance.js';
import type { ClientPrefix } from '../http/client-prefix.js';

/** Attempts to log in that may fail at once, and how long it takes until one more may. */
const burst = 10;
const recovery = milliseconds(10_000);

/** Clients remembered, twice at most. Beyond that, those seen longest ago begin anew. */
const mostClients = 16_384;

/** Keeps clients from guessing: ten attempts may fail at once, and one more every ten seconds. */
export class FailedAttempts {
  readonly #allowance: ClientAllowance;

  constructor(prefix: ClientPrefix) {
    const capacity = milliseconds(burst * recovery);
    this.#allowance = new ClientAllowance({ cost: recovery, capacity, prefix, clients: mostClients });
  }

  /** Clients remembered. */
  get clients(): number {
    return this.#allowance.clients;
  }

  /**
   * Begins an attempt, which counts as failed until it has succeeded. Null if it may be made, otherwise how long the
   * client has to wait.
   */
  begin(address: string, now: MonotonicMs): Seconds | null {
    const wait = this.#allowance.take(address, now);
    return wait === 0 ? null : seconds(Math.ceil(toSeconds(wait)));
  }

  /** An attempt of that client was no failure. */
  succeeded(address: string): void {
    this.#allowance.giveBack(address);
  }
}
