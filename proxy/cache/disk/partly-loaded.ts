import type { CacheKey } from '../cache-key.js';

/** So many keys are known one by one; beyond that it may be any. */
const mostKnown = 10_000;

/** The keys under which a look-up has lately found more bytes in the index than it has loaded. */
export class PartlyLoaded {
  #recent = new Set<CacheKey>();
  #before = new Set<CacheKey>();

  note(key: CacheKey): void {
    if (this.#recent.size < mostKnown) this.#recent.add(key);
  }

  /** Whether somebody may be about to read bytes that are found under this key. */
  mayBe(key: CacheKey): boolean {
    return this.#has(this.#recent, key) || this.#has(this.#before, key);
  }

  /** To be called now and then: what was noted before the last time is forgotten. */
  forget(): void {
    this.#before = this.#recent;
    this.#recent = new Set();
  }

  #has(keys: ReadonlySet<CacheKey>, key: CacheKey): boolean {
    return keys.size > 0 && (keys.size >= mostKnown || keys.has(key));
  }
}
