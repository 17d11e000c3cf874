import { milliseconds, monotonicMs, type MonotonicMs } from '../../config/units.js';
import { clientKey, type ClientPrefix } from './client-prefix.js';

export interface RequestRateOptions {
  /** Requests a second of one client; as many may come at once. */
  readonly rate: number;
  readonly prefix: ClientPrefix;
  /** Clients remembered, twice at most; beyond that many within a second, those seen longest ago begin anew. */
  readonly clients?: number;
}

/**
 * Limits the requests a second of each client by a bucket of tokens, `rate` a second and `rate` at most. A bucket is
 * written as the time at which it is full again (the generic cell rate algorithm). It fills within a second, so that a
 * bucket that nobody has touched for a second is as good as none: buckets are kept in two generations, and the older one
 * is dropped each second.
 */
export class RequestRate {
  readonly #cost: number;
  readonly #prefix: ClientPrefix;
  readonly #most: number;
  #recent = new Map<string, Bucket>();
  #earlier = new Map<string, Bucket>();
  #turnedAt: MonotonicMs = monotonicMs(-Infinity);

  constructor({ rate, prefix, clients = MOST_CLIENTS }: RequestRateOptions) {
    this.#cost = CAPACITY / rate;
    this.#prefix = prefix;
    this.#most = clients;
  }

  /** Clients remembered. */
  get clients(): number {
    return this.#recent.size + this.#earlier.size;
  }

  /** Whether a client may make one more request now; if so, it has made it. */
  admit(address: string, now: MonotonicMs): boolean {
    if (now - this.#turnedAt >= CAPACITY || this.#recent.size >= this.#most) this.#turn(now);
    const bucket = this.#bucketOf(clientKey(address, this.#prefix));
    const fullAt = Math.max(bucket.fullAt, now) + this.#cost;
    if (fullAt - now > CAPACITY + ROUNDING) return false;
    bucket.fullAt = fullAt;
    return true;
  }

  #bucketOf(key: string): Bucket {
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    const bucket = this.#earlier.get(key) ?? { fullAt: -Infinity };
    this.#earlier.delete(key);
    this.#recent.set(key, bucket);
    return bucket;
  }

  #turn(now: MonotonicMs): void {
    this.#turnedAt = now;
    this.#earlier = this.#recent;
    this.#recent = new Map();
  }
}

interface Bucket {
  fullAt: number;
}

/** How long an empty bucket takes to fill. */
const CAPACITY = milliseconds(1000);
/** Sums of fractions of a millisecond are a little off. */
const ROUNDING = 1e-6;
const MOST_CLIENTS = 65_536;
