import { LRUCache } from 'lru-cache';
import type { CacheKey } from './cache-key.js';

/** Things by cache key, in the order in which they were used. It has no bound: whoever uses it sees to that. */
export class KeyOrder<T extends object | true> {
  readonly #cache = new LRUCache<CacheKey, T>({ maxSize: Number.MAX_SAFE_INTEGER, sizeCalculation: () => 1 });

  /** Uses it. */
  use(key: CacheKey): T | undefined {
    return this.#cache.get(key);
  }

  peek(key: CacheKey): T | undefined {
    return this.#cache.peek(key);
  }

  /** Uses it. */
  put(key: CacheKey, thing: T): void {
    this.#cache.set(key, thing);
  }

  delete(key: CacheKey): void {
    this.#cache.delete(key);
  }

  /** The one whose last use is longest ago. */
  least(): CacheKey | undefined {
    const { value } = this.#cache.rkeys().next();
    return value as CacheKey | undefined;
  }

  get size(): number {
    return this.#cache.size;
  }

  clear(): void {
    this.#cache.clear();
  }
}
