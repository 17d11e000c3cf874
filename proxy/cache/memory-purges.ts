import type { CacheKey } from './cache-key.js';
import type { GroupIndex } from './group-index.js';
import type { InvalidationOrder } from './invalidation-marks.js';
import type { MemoryResponse } from './memory-response.js';
import { isPurgedBy, mayBePurgedBy, type PurgeMode, type PurgeSelector } from './purge.js';
import { PurgeMarks } from './purge-marks.js';
import { PurgeWalk } from './purge-walk.js';
import type { Generation } from './response-store.js';

type Test = (response: MemoryResponse) => boolean;

/** The purges of a store in memory: which of its responses they are about, at the moment and of what is under way. */
export class MemoryPurges {
  readonly #order: InvalidationOrder;
  readonly #marks: PurgeMarks;
  readonly #walk: PurgeWalk;
  /** What hard purges that are not through yet will forget. */
  readonly #forgetting = new Set<Test>();
  #lastForgetting: Generation;

  constructor(order: InvalidationOrder, keys: ReadonlySet<CacheKey>, groups: GroupIndex) {
    this.#order = order;
    this.#marks = new PurgeMarks(order);
    this.#walk = new PurgeWalk(keys, groups);
    this.#lastForgetting = order.current();
  }

  /** @param apply does to the responses under a key that pass the test what is due, and gives how many it was */
  purge(selector: PurgeSelector, mode: PurgeMode, apply: (key: CacheKey, isDue: Test) => number): Promise<number> {
    this.#marks.add(selector, mode);
    const moment = this.#order.current();
    const isDue: Test = ({ generation, key, groups }) => generation < moment && isPurgedBy(selector, key, groups);
    if (mode === 'hard') {
      this.#lastForgetting = moment;
      this.#forgetting.add(isDue);
    }
    const visit = (key: CacheKey): number => (mayBePurgedBy(selector, key) ? apply(key, isDue) : 0);
    return this.#walk.over(selector, visit).finally(() => this.#forgetting.delete(isDue));
  }

  /** As `PurgeMarks.after`. */
  after(generation: Generation, key: CacheKey, groups: readonly string[]): PurgeMode | null {
    return this.#marks.after(generation, key, groups);
  }

  /** Whether a stored response is about to be forgotten. */
  isForgetting(response: MemoryResponse): boolean {
    for (const isDue of this.#forgetting) if (isDue(response)) return true;
    return false;
  }

  /** Whether a response that is no longer stored may have been forgotten by a purge. */
  mayHaveForgotten(response: MemoryResponse): boolean {
    return response.generation < this.#lastForgetting;
  }
}
