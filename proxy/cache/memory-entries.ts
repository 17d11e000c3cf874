import { bytes, type Bytes } from '../../config/units.js';
import type { CacheKey } from './cache-key.js';
import { GroupIndex } from './group-index.js';
import { KeyOrder } from './key-order.js';
import type { MemoryClasses, MemoryHolding } from './memory-classes.js';
import type { MemoryResponse } from './memory-response.js';

/** The responses under one key, the most recently stored or freshened first. */
export class MemoryEntry {
  responses: readonly MemoryResponse[];
  /** What they count. */
  readonly size: Bytes;
  holding: MemoryHolding;
  /** Whether another store has them. */
  readonly isCopy: boolean;

  constructor(responses: readonly MemoryResponse[], holding: MemoryHolding, isCopy: boolean) {
    this.responses = Object.freeze(responses);
    this.size = footprintOf(responses);
    this.holding = holding;
    this.isCopy = isCopy;
  }
}

/**
 * What a store in memory has, in the order of uses; what is pinned has no place in it.
 *
 * A key is one entry. A look-up is a use of all responses under its key, so a place in the order for each of them would
 * record the same at the price of a second table and of one touch a variant on every hit. Which variant of a key is used
 * least shows when one is opened, and is what the cap on variants goes by.
 */
export class MemoryEntries {
  readonly groups = new GroupIndex();
  readonly #classes: MemoryClasses;
  readonly #order = new KeyOrder<MemoryEntry>();
  readonly #pinned = new Map<CacheKey, MemoryEntry>();
  /** In the order in which they came, as a walk that goes through them and pauses needs it. */
  readonly #keys = new Set<CacheKey>();
  #bytes = 0;
  #responses = 0;
  #evicted = 0;

  constructor(classes: MemoryClasses) {
    this.#classes = classes;
  }

  get keys(): ReadonlySet<CacheKey> {
    return this.#keys;
  }

  /** What all of it counts. */
  get bytes(): Bytes {
    return bytes(this.#bytes);
  }

  get responses(): number {
    return this.#responses;
  }

  get evicted(): number {
    return this.#evicted;
  }

  /** What is stored under a key, and uses it. */
  use(key: CacheKey): MemoryEntry | undefined {
    const entry = this.#order.use(key);
    if (entry === undefined) return this.#pinned.get(key);
    if (entry.holding.order !== null) entry.holding.order.use(key);
    return entry;
  }

  peek(key: CacheKey): MemoryEntry | undefined {
    return this.#order.peek(key) ?? this.#pinned.get(key);
  }

  /** Puts responses in the place of those under a key. In the same size and class it is no use. */
  set(key: CacheKey, responses: readonly MemoryResponse[], isCopy = this.peek(key)?.isCopy === true): void {
    const before = this.peek(key);
    if (before === undefined && responses.length === 0) return;
    this.#regroup(before?.responses ?? nothing, responses);
    if (before !== undefined && this.#replace(key, before, responses, isCopy)) return;
    if (before !== undefined) this.#takeOut(key, before);
    if (responses.length === 0) this.#keys.delete(key);
    else this.#putIn(key, new MemoryEntry(responses, this.#classes.of(key, isCopy), isCopy));
  }

  /** Lets go of the least recently used key that is not pinned, unless it is that one; false if there is none. */
  evict(except?: MemoryEntry): boolean {
    return this.#evictFrom(this.#order, except);
  }

  /** The same in a class that has a share. */
  evictOf({ order }: MemoryHolding, except?: MemoryEntry): boolean {
    return order !== null && this.#evictFrom(order, except);
  }

  countEvicted(responses: number, from: MemoryHolding): void {
    this.#evicted += responses;
    from.evicted += responses;
  }

  /**
   * Puts a key where its class has it now. Its turn in the order stays what it was; among what was pinned, or had no share,
   * it is by when this happens.
   * @returns whether it was elsewhere
   */
  reclassify(key: CacheKey): boolean {
    const entry = this.peek(key);
    if (entry === undefined) return false;
    const holding = this.#classes.of(key, entry.isCopy);
    const { pinned } = holding.retention;
    const isPinned = this.#pinned.has(key);
    const isOrdered = holding.order === null || holding.order.peek(key) === true;
    if (holding === entry.holding && pinned === isPinned && isOrdered) return false;
    entry.holding.order?.delete(key);
    this.#count(entry, -1);
    entry.holding = holding;
    this.#count(entry, 1);
    holding.order?.put(key, true);
    if (pinned === isPinned) return true;
    this.#order.delete(key);
    this.#pinned.delete(key);
    if (pinned) this.#pinned.set(key, entry);
    else this.#order.put(key, entry);
    return true;
  }

  clear(): void {
    for (const key of [...this.#keys]) this.set(key, nothing);
  }

  /** In place, if nothing but the responses is another. */
  #replace(key: CacheKey, entry: MemoryEntry, responses: readonly MemoryResponse[], isCopy: boolean): boolean {
    if (responses.length === 0 || entry.isCopy !== isCopy || footprintOf(responses) !== entry.size) return false;
    if (this.#classes.of(key, isCopy) !== entry.holding) return false;
    this.#count(entry, -1);
    entry.responses = Object.freeze(responses);
    this.#count(entry, 1);
    return true;
  }

  #putIn(key: CacheKey, entry: MemoryEntry): void {
    const { pinned } = entry.holding.retention;
    if (pinned) this.#pinned.set(key, entry);
    else this.#order.put(key, entry);
    entry.holding.order?.put(key, true);
    this.#keys.add(key);
    this.#count(entry, 1);
  }

  #takeOut(key: CacheKey, entry: MemoryEntry): void {
    this.#order.delete(key);
    this.#pinned.delete(key);
    entry.holding.order?.delete(key);
    this.#count(entry, -1);
  }

  #count({ responses, size, holding }: MemoryEntry, sign: 1 | -1): void {
    this.#bytes += sign * size;
    this.#responses += sign * responses.length;
    holding.bytes += sign * size;
    holding.responses += sign * responses.length;
  }

  #regroup(before: readonly MemoryResponse[], after: readonly MemoryResponse[]): void {
    for (const gone of before) if (!after.includes(gone)) this.groups.remove(gone);
    for (const added of after) if (!before.includes(added)) this.groups.add(added);
  }

  #evictFrom(order: { least(): CacheKey | undefined }, except: MemoryEntry | undefined): boolean {
    for (;;) {
      const key = order.least();
      const entry = key === undefined ? undefined : this.peek(key);
      if (key === undefined || entry === undefined || entry === except) return false;
      // its class may be another one by now
      if (this.reclassify(key)) continue;
      const { responses, holding } = entry;
      this.set(key, nothing);
      this.countEvicted(responses.length, holding);
      return true;
    }
  }
}

const nothing: readonly MemoryResponse[] = Object.freeze([]);

export function footprintOf(responses: readonly MemoryResponse[]): Bytes {
  let total = 0;
  for (const { footprint } of responses) total += footprint;
  return bytes(total);
}
