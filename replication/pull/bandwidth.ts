import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { TokenBucket } from './token-bucket.js';

export interface BandwidthOptions {
  /** Most bytes in a second; null for as many as come. */
  readonly limit: Bytes | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Fulfilled after that time, or once the signal is given. */
  readonly pause?: (time: Milliseconds, signal: AbortSignal) => Promise<void>;
}

/** Shorter pauses are saved up: timers are not that exact. */
const shortestPause = milliseconds(20);

/** Holds back all that pulls, together, so that no more comes than so many bytes a second. */
export class Bandwidth {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #pause: (time: Milliseconds, signal: AbortSignal) => Promise<void>;
  readonly #pausing = new Set<AbortController>();
  #limit: Bytes | null = null;
  #bucket: TokenBucket | null = null;

  constructor({ limit, clock, pause = pauseFor }: BandwidthOptions) {
    this.#clock = clock;
    this.#pause = pause;
    this.limit = limit;
  }

  get limit(): Bytes | null {
    return this.#limit;
  }

  /** Also for those that are being held back. @throws RangeError below one byte a second */
  set limit(limit: Bytes | null) {
    if (limit !== null && !(limit >= 1)) throw new RangeError(`a bandwidth of ${limit} bytes a second`);
    const now = this.#clock.monotonic();
    if (limit === null) this.#bucket = null;
    else if (this.#bucket === null) this.#bucket = new TokenBucket(limit, now);
    else this.#bucket.changeRate(limit, now);
    this.#limit = limit;
    for (const pause of this.#pausing) pause.abort();
  }

  /** So many bytes have come. Waits until more may; ends when the signal is given. */
  async passed(size: Bytes, signal: AbortSignal): Promise<void> {
    this.#bucket?.pay(size, this.#clock.monotonic());
    while (this.#bucket !== null && !signal.aborted) {
      const owed = this.#bucket.owed(this.#clock.monotonic());
      if (owed < shortestPause) return;
      await this.#wait(owed, signal);
    }
  }

  async #wait(time: Milliseconds, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#pausing.add(woken);
    signal.addEventListener('abort', wake);
    try {
      await this.#pause(time, woken.signal);
    } finally {
      signal.removeEventListener('abort', wake);
      this.#pausing.delete(woken);
    }
  }
}

const pauseFor = (time: Milliseconds, signal: AbortSignal): Promise<void> =>
  sleep(time, undefined, { signal }).catch(() => undefined);
