import { milliseconds, type MonotonicMs } from '../../config/units.js';
import { ClientAllowance } from './client-allowance.js';
import type { ClientPrefix } from './client-prefix.js';

export interface RequestRateOptions {
  /** Requests a second of one client; as many may come at once. */
  readonly rate: number;
  readonly prefix: ClientPrefix;
  /** Clients remembered, twice at most; beyond that many within a second, those seen longest ago begin anew. */
  readonly clients?: number;
}

/** Limits the requests a second of each client. */
export class RequestRate {
  readonly #allowance: ClientAllowance;

  constructor({ rate, prefix, clients = MOST_CLIENTS }: RequestRateOptions) {
    this.#allowance = new ClientAllowance({ cost: milliseconds(SECOND / rate), capacity: SECOND, prefix, clients });
  }

  /** Clients remembered. */
  get clients(): number {
    return this.#allowance.clients;
  }

  /** Whether a client may make one more request now; if so, it has made it. */
  admit(address: string, now: MonotonicMs): boolean {
    return this.#allowance.take(address, now) === 0;
  }
}

const SECOND = milliseconds(1000);
const MOST_CLIENTS = 65_536;
