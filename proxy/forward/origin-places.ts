import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';

export interface OriginPlacesOptions {
  /** How many origin servers may have open connections at a time. */
  readonly origins: number;
  /** How long a request may wait for a place. */
  readonly timeout: Milliseconds;
  /** Closes the idle connections of an origin server that has no others, which gives its place back; whether there was one. */
  readonly makeRoom: () => boolean;
}

/** More requests than that do not wait. */
const mostWaiting = 1024;

/** Which origin servers may have open connections: a place for each, and a queue of those without one. */
export class OriginPlaces {
  readonly #options: OriginPlacesOptions;
  readonly #held = new Set<string>();
  /** Those without a place in the order in which they came, with the requests that wait for it. */
  readonly #queue = new Map<string, Set<() => void>>();
  #waiting = 0;

  constructor(options: OriginPlacesOptions) {
    this.#options = options;
  }

  /** How many have a place. */
  get size(): number {
    return this.#held.size;
  }

  /** Requests that wait for a place. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Gives an origin server a place if it has none. @returns whether it has one now */
  take(key: string): boolean {
    if (this.#held.has(key)) return true;
    if (this.#queue.size > 0 || (this.#isFull && !this.#options.makeRoom())) return false;
    this.#held.add(key);
    return true;
  }

  /** Waits until an origin server may have been given a place. @throws WillisError too-busy, or the signal's reason */
  wait(key: string, signal: AbortSignal): Promise<void> {
    const busy = new WillisError('too-busy', 'connections to too many origin servers are in use');
    if (this.#waiting >= mostWaiting) return Promise.reject(busy);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting--;
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const giveUp = (reason: Error): void => {
        leave();
        this.#remove(key, wake);
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal.reason as Error);
      const timer = setTimeout(() => giveUp(busy), this.#options.timeout);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting++;
      this.#queueOf(key).add(wake);
    });
  }

  /** Takes the place of an origin server that has no connection any more, and gives it to the next. */
  free(key: string): void {
    if (!this.#held.delete(key)) return;
    for (const [next, wakes] of this.#queue) {
      if (this.#isFull) return;
      this.#queue.delete(next);
      this.#held.add(next);
      for (const wake of wakes) wake();
    }
  }

  get #isFull(): boolean {
    return this.#held.size >= this.#options.origins;
  }

  #queueOf(key: string): Set<() => void> {
    let wakes = this.#queue.get(key);
    if (wakes === undefined) this.#queue.set(key, (wakes = new Set()));
    return wakes;
  }

  #remove(key: string, wake: () => void): void {
    const wakes = this.#queue.get(key);
    wakes?.delete(wake);
    if (wakes?.size === 0) this.#queue.delete(key);
  }
}
