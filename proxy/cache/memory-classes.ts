import { bytes, type Bytes } from '../../config/units.js';
import type { CacheKey } from './cache-key.js';
import { KeyOrder } from './key-order.js';
import { noRetention, ordinary, type ClassUsage, type Retention, type RetentionClass } from './retention.js';

/** What a store in memory has of a class. */
export class MemoryHolding {
  retention: RetentionClass;
  /** What is stored, and what is being written. */
  bytes = 0;
  reserved = 0;
  responses = 0;
  evicted = 0;
  refused = 0;
  /** Of a class with a share: its keys, in the order of their uses. */
  order: KeyOrder<true> | null = null;

  constructor(retention: RetentionClass) {
    this.retention = retention;
  }
}

/** The classes of retention of a store in memory. */
export class MemoryClasses {
  #retention: Retention = noRetention;
  readonly #ordinary = new MemoryHolding(ordinary);
  #byName = new Map([['', this.#ordinary]]);
  #pinned: readonly MemoryHolding[] = [];
  #isBacked = false;

  /**
   * From now on this says what class a key is in.
   * @param isBacked whether what is a copy of what another store has is ordinary, whatever its key
   */
  retain(retention: Retention, isBacked: boolean): void {
    const before = this.#byName;
    this.#retention = retention;
    this.#isBacked = isBacked;
    this.#byName = new Map([['', this.#ordinary]]);
    for (const one of retention.classes) {
      const holding = before.get(one.name) ?? new MemoryHolding(one);
      holding.retention = one;
      if (one.pinned || one.maxBytes === null) holding.order = null;
      else holding.order ??= new KeyOrder<true>();
      this.#byName.set(one.name, holding);
    }
    this.#pinned = [...this.#byName.values()].filter((one) => one.retention.pinned);
  }

  of(key: CacheKey, isCopy: boolean): MemoryHolding {
    if (isCopy && this.#isBacked) return this.#ordinary;
    return this.#byName.get(this.#retention.classOf(key).name) ?? this.#ordinary;
  }

  all(): Iterable<MemoryHolding> {
    return this.#byName.values();
  }

  /** What is stored of all that is pinned. */
  get pinned(): number {
    let sum = 0;
    for (const one of this.#pinned) sum += one.bytes;
    return sum;
  }

  /** What is being written of it. */
  get pinnedReserved(): number {
    let sum = 0;
    for (const { reserved } of this.#pinned) sum += reserved;
    return sum;
  }

  usage(): ClassUsage[] {
    return [...this.#byName.values()].map(({ retention, responses, bytes: size, evicted, refused }) => ({
      ...{ ...retention, responses, bytes: bytes(size), evicted, refused },
    }));
  }
}

/** What is stored of a class, and what is being written. */
export const takenBy = (of: MemoryHolding): Bytes => bytes(of.bytes + of.reserved);
