import type { CacheKey } from './cache-key.js';
import { endedAt } from './freshness.js';
import type { InvalidationOrder } from './invalidation-marks.js';
import { isPurgedBy, type PurgeMode, type PurgeSelector } from './purge.js';
import { PurgeMarks } from './purge-marks.js';
import type { Generation } from './response-store.js';
import type { ResponseMetadata } from './stored-response.js';

/** As much of a stored response as a purge goes by. */
export interface Purgeable {
  readonly key: CacheKey;
  readonly groups: readonly string[];
  /** When, in the order of purges, the request was sent that it answered or that freshened it. */
  readonly generation: Generation;
}

export type IsDue = (response: Purgeable) => boolean;

/** Goes through what is stored: visits the keys that a purge may be about, and adds up what the visits give. */
export type Walk<Visited> = (selector: PurgeSelector, visit: (key: CacheKey) => Visited) => Promise<number>;

/** The purges of a store: which of its responses they are about, at the moment and of what is under way. */
export class PurgesUnderWay<Visited extends number | Promise<number>> {
  readonly #order: InvalidationOrder;
  readonly #marks: PurgeMarks;
  readonly #walk: Walk<Visited>;
  /** What hard purges that are not through yet will forget. */
  readonly #forgetting = new Set<IsDue>();
  #lastForgetting: Generation;

  constructor(order: InvalidationOrder, walk: Walk<Visited>) {
    this.#order = order;
    this.#marks = new PurgeMarks(order);
    this.#walk = walk;
    this.#lastForgetting = order.current();
  }

  /** @param apply does to the responses under a key that pass the test what is due, and gives how many it was */
  purge(selector: PurgeSelector, mode: PurgeMode, apply: (key: CacheKey, isDue: IsDue) => Visited): Promise<number> {
    this.#marks.add(selector, mode);
    const moment = this.#order.current();
    const isDue: IsDue = ({ generation, key, groups }) => generation < moment && isPurgedBy(selector, key, groups);
    if (mode === 'hard') {
      this.#lastForgetting = moment;
      this.#forgetting.add(isDue);
    }
    return this.#walk(selector, (key) => apply(key, isDue)).finally(() => this.#forgetting.delete(isDue));
  }

  /** As `PurgeMarks.after`. */
  after(generation: Generation, key: CacheKey, groups: readonly string[]): PurgeMode | null {
    return this.#marks.after(generation, key, groups);
  }

  /** Whether a stored response is about to be forgotten. */
  isForgetting(response: Purgeable): boolean {
    for (const isDue of this.#forgetting) if (isDue(response)) return true;
    return false;
  }

  /** Whether a response that is no longer stored may have been forgotten by a purge. */
  mayHaveForgotten({ generation }: Purgeable): boolean {
    return generation < this.#lastForgetting;
  }
}

/** What answers a request from before a soft purge: stale since it came. */
export const endedOnArrival = (metadata: ResponseMetadata): ResponseMetadata => ({
  ...metadata,
  freshness: endedAt(metadata.freshness, metadata.freshness.responseTime),
});
