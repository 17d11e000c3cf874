import { setTimeout as pause } from 'node:timers/promises';
import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';

/** A version of a namespace, and when a node was seen to hold it. */
export interface Arrival {
  readonly seq: number;
  readonly at: EpochMs;
}

/** Knows when one node came to hold which version: it asks for the head, and the answer waits until there is a new one. */
export class HeadFollower {
  readonly #url: string;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #onNews: () => void;
  #place = '';
  #arrivals: readonly Arrival[] = [];

  constructor(url: string, namespace: string, clock: Clock, onNews: () => void) {
    this.#url = url;
    this.#namespace = namespace;
    this.#clock = clock;
    this.#onNews = onNews;
  }

  /** The number of the last change that it is known to hold; 0 before anything is known. */
  get seq(): number {
    return this.#arrivals.at(-1)?.seq ?? 0;
  }

  /** When it came to hold that change; null if it does not yet, as far as is known. */
  arrivalOf(seq: number): EpochMs | null {
    return this.#arrivals.find((arrival) => arrival.seq >= seq)?.at ?? null;
  }

  /** Asks until the signal. A node that does not answer is asked again. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#ask(signal);
      } catch {
        await pause(again, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams({ namespace: this.#namespace });
    if (this.#place !== '') {
      query.set('after', this.#place);
      query.set('wait', '30');
    }
    const answer = await fetch(`${this.#url}/.well-known/wlis/head?${query.toString()}`, { signal });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
    const { epoch, seq } = headIn(text);
    if (`${epoch}.${seq}` === this.#place) return;
    this.#place = `${epoch}.${seq}`;
    this.#arrivals = [...this.#arrivals, { seq, at: this.#clock.now() }].slice(-mostArrivals);
    this.#onNews();
  }
}

/** What a head says. It is not verified: who shows figures of the own machine needs not doubt them. */
function headIn(jws: string): { readonly epoch: string; readonly seq: number } {
  const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString();
  return JSON.parse(payload) as { epoch: string; seq: number };
}

const again = 500;
const mostArrivals = 64;
