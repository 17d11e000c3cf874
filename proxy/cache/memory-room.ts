import { bytes, type Bytes } from '../../config/units.js';
import { takenBy, type MemoryClasses, type MemoryHolding } from './memory-classes.js';
import type { MemoryEntries, MemoryEntry } from './memory-entries.js';
import { pinsFull, type PinsFull } from './pins-full.js';

export interface MemoryRoomOptions {
  readonly limit: Bytes;
  readonly entries: MemoryEntries;
  readonly classes: MemoryClasses;
  readonly onPinsFull: ((full: PinsFull) => void) | undefined;
}

/** How much more there is to be. */
export interface Growth {
  readonly of: MemoryHolding;
  readonly all: number;
  /** Of the class. */
  readonly ofClass: number;
  /** Whether something comes that was not there before. */
  readonly isNew: boolean;
  /** What is not to be evicted for it. */
  readonly except?: MemoryEntry | undefined;
}

/**
 * The bounds of a store in memory:
 *
 *     limit ≥ what is stored + what writers have reserved
 *     share of a class ≥ what is stored of it + what writers of it have reserved
 *     `mostPinned` of the limit ≥ the same of all that is pinned
 *
 * What a limit or a retention that came later makes too much is evicted, unless it is pinned.
 */
export class MemoryRoom {
  readonly #entries: MemoryEntries;
  readonly #classes: MemoryClasses;
  readonly #onPinsFull: MemoryRoomOptions['onPinsFull'];
  #limit: Bytes;
  #reserved = 0;

  constructor({ limit, entries, classes, onPinsFull }: MemoryRoomOptions) {
    this.#limit = limit;
    this.#entries = entries;
    this.#classes = classes;
    this.#onPinsFull = onPinsFull;
  }

  get limit(): Bytes {
    return this.#limit;
  }

  get taken(): Bytes {
    return bytes(this.#entries.bytes + this.#reserved);
  }

  /** Makes room for what is being written, by evicting; false if that is not possible. */
  reserve(size: Bytes, of: MemoryHolding): boolean {
    if (!this.make({ of, all: size, ofClass: size, isNew: true })) return false;
    this.#reserved += size;
    of.reserved += size;
    return true;
  }

  release(size: Bytes, of: MemoryHolding): void {
    this.#reserved -= size;
    of.reserved -= size;
  }

  /** Evicts until there is room; false, and nothing is evicted, if there cannot be. */
  make(growth: Growth): boolean {
    const { of, all, ofClass, except } = growth;
    if (!this.mayTake(growth)) return false;
    const { maxBytes, pinned } = of.retention;
    if (maxBytes !== null && !pinned) {
      while (takenBy(of) + ofClass > maxBytes) if (!this.#entries.evictOf(of, except)) return false;
    }
    while (this.taken + all > this.#limit) if (!this.#entries.evict(except)) return false;
    return true;
  }

  /** Whether there could be room, if all were evicted that may be. */
  mayTake({ of, all, ofClass, isNew, except }: Growth): boolean {
    const { pinned: isPinned, maxBytes } = of.retention;
    const full = this.pinsFull(bytes(isPinned ? ofClass : all), of, isNew);
    if (full !== null) {
      of.refused++;
      this.#onPinsFull?.(full);
      return false;
    }
    const stays = except?.holding.retention.pinned === false ? except.size : 0;
    if (this.#classes.pinned + stays + this.#reserved + all > this.#limit) return false;
    const ofClassStays = except?.holding === of ? except.size : 0;
    return maxBytes === null || of.reserved + ofClassStays + ofClass <= maxBytes;
  }

  /** Whether pinned responses have the room that it would take. */
  pinsFull(wanted: Bytes, of: MemoryHolding, isNew: boolean): PinsFull | null {
    const { pinned, pinnedReserved } = this.#classes;
    if (pinned + pinnedReserved === 0 && !of.retention.pinned) return null;
    const taken = {
      limit: this.#limit,
      pinned: bytes(pinned + pinnedReserved),
      writing: bytes(this.#reserved - pinnedReserved),
      ofClass: takenBy(of),
    };
    return pinsFull(wanted, of.retention, taken, isNew);
  }

  /** Evicts down to a limit, so many keys at most. Until there is no more to evict, the limit is what is taken. */
  shrinkTo(limit: Bytes, most: number): { readonly isDone: boolean } {
    for (let count = 0; this.taken > limit && count < most; count++) {
      if (this.#entries.evict()) continue;
      this.#limit = limit;
      return { isDone: true };
    }
    this.#limit = this.taken > limit ? this.taken : limit;
    return { isDone: this.#limit === limit };
  }

  /** Evicts what is beyond the shares of classes, so many keys at most. */
  trimShares(most: number): { readonly isDone: boolean } {
    let left = most;
    for (const of of this.#classes.all()) {
      const { maxBytes, pinned } = of.retention;
      if (maxBytes === null || pinned) continue;
      while (takenBy(of) > maxBytes && this.#entries.evictOf(of)) if (--left === 0) return { isDone: false };
    }
    return { isDone: true };
  }
}
