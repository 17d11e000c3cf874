import { LRUCache } from 'lru-cache';
import type { CacheKey } from './cache-key.js';

/** Things by key, in the order in which they were used. It has no bound: whoever uses it sees to that. */
export class KeyOrder<T extends object | true, Key extends string = CacheKey> {
  readonly #cache = new LRUCache<Key, T>({ maxSize: Number.MAX_SAFE_INTEGER, sizeCalculation: () => 1 });

  /** Uses it. */
  use(key: Key): T | undefined {
    return this.#cache.get(key);
  }

  peek(key: Key): T | undefined {
    return this.#cache.peek(key);
  }

  /** Uses it. */
  put(key: Key, thing: T): void {
    this.#cache.set(key, thing);
  }

  delete(key: Key): void {
    this.#cache.delete(key);
  }

  /** The one whose last use is longest ago. */
  least(): Key | undefined {
    const { value } = this.#cache.rkeys().next();
    return value as Key | undefined;
  }

  get size(): number {
    return this.#cache.size;
  }

  clear(): void {
    this.#cache.clear();
  }
}
