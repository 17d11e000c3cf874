import { bytes, type Bytes } from '../../config/units.js';
import { KeyOrder } from './key-order.js';

interface Sized<T> {
  readonly value: T;
  readonly size: Bytes;
}

/** What was used last, by key, as much as a limit in bytes allows. */
export class RecentlyUsed<Key extends string, T> {
  readonly #order = new KeyOrder<Sized<T>, Key>();
  readonly #limit: Bytes;
  #size = 0;

  constructor(limit: Bytes) {
    this.#limit = limit;
  }

  get size(): Bytes {
    return bytes(this.#size);
  }

  use(key: Key): T | undefined {
    return this.#order.use(key)?.value;
  }

  /** Takes the place of what was there under that key. What is larger than the limit is not kept. */
  put(key: Key, value: T, size: Bytes): void {
    this.#size -= this.#order.peek(key)?.size ?? 0;
    this.#order.delete(key);
    if (size > this.#limit) return;
    this.#order.put(key, { value, size });
    this.#size += size;
    while (this.#size > this.#limit) this.#dropLeast();
  }

  #dropLeast(): void {
    const key = this.#order.least() as Key;
    this.#size -= this.#order.peek(key)?.size ?? 0;
    this.#order.delete(key);
  }
}
