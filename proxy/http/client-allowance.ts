import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import { clientKey, type ClientPrefix } from './client-prefix.js';

export interface ClientAllowanceOptions {
  /** How long it takes until what was taken once is there again. */
  readonly cost: Milliseconds;
  /** How long it takes until an account from which all was taken is full. */
  readonly capacity: Milliseconds;
  readonly prefix: ClientPrefix;
  /** Clients remembered, twice at most; beyond that many within `capacity`, those seen longest ago begin anew. */
  readonly clients: number;
}

/**
 * What each client may take: as often as `capacity` holds `cost` at once, and once more each time that `cost` has passed.
 * An account is written as the time at which it is full again (the generic cell rate algorithm). One that nobody has
 * touched for `capacity` is as good as none: accounts are kept in two generations, and the older one is dropped each time
 * that so much has passed.
 */
export class ClientAllowance {
  readonly #options: ClientAllowanceOptions;
  #recent = new Map<string, Account>();
  #earlier = new Map<string, Account>();
  #turnedAt: MonotonicMs = monotonicMs(-Infinity);

  constructor(options: ClientAllowanceOptions) {
    this.#options = options;
  }

  /** Clients remembered. */
  get clients(): number {
    return this.#recent.size + this.#earlier.size;
  }

  /** Takes once. @returns 0 if that was there, otherwise how long it takes until it is, and nothing was taken */
  take(address: string, now: MonotonicMs): Milliseconds {
    const { cost, capacity, prefix, clients } = this.#options;
    if (now - this.#turnedAt >= capacity || this.#recent.size >= clients) this.#turn(now);
    const account = this.#accountOf(clientKey(address, prefix));
    const fullAt = Math.max(account.fullAt, now) + cost;
    const excess = fullAt - now - capacity;
    if (excess > ROUNDING) return milliseconds(excess);
    account.fullAt = fullAt;
    return NOTHING;
  }

  /** Puts back what was taken once. */
  giveBack(address: string): void {
    const key = clientKey(address, this.#options.prefix);
    const account = this.#recent.get(key) ?? this.#earlier.get(key);
    if (account !== undefined) account.fullAt -= this.#options.cost;
  }

  #accountOf(key: string): Account {
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    const account = this.#earlier.get(key) ?? { fullAt: -Infinity };
    this.#earlier.delete(key);
    this.#recent.set(key, account);
    return account;
  }

  #turn(now: MonotonicMs): void {
    this.#turnedAt = now;
    this.#earlier = this.#recent;
    this.#recent = new Map();
  }
}

interface Account {
  fullAt: number;
}

const NOTHING = milliseconds(0);
/** Sums of fractions of a millisecond are a little off. */
const ROUNDING = 1e-6;
