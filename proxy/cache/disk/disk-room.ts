import { bytes, type Bytes } from '../../../config/units.js';
import { pinsFull, type PinsFull } from '../pins-full.js';
import type { DiskClasses, DiskHolding } from './disk-classes.js';

export interface RoomOptions {
  /** At first. */
  readonly limit: Bytes;
  readonly classes: DiskClasses;
  /** What is taken by all but writers. */
  readonly taken: () => Bytes;
  /** Deletes a file that nothing refers to; false if there is none. */
  readonly clearGrave: () => Promise<boolean>;
  /** Forgets some of what was used longest ago, about so much; false if there is nothing left to forget. */
  readonly evict: (size: Bytes) => Promise<boolean>;
  /** The same of one list of uses. */
  readonly evictFrom: (list: string, size: Bytes) => Promise<boolean>;
  /** Something was not taken because pinned responses have the room. */
  readonly onPinsFull: (full: PinsFull) => void;
}

/**
 * The bounds of a store on disk, obeyed before anything is written:
 *
 *     limit ≥ what is stored + what writers have reserved + files that are to be deleted
 *     share of a class ≥ what is stored of it + what writers of it have reserved
 *     `mostPinned` of the limit ≥ the same of all that is pinned
 *
 * What a limit or a retention that came later makes too much is evicted, unless it is pinned.
 */
export class DiskRoom {
  readonly #options: RoomOptions;
  #limit!: Bytes;
  #ceiling!: number;
  #reserved = 0;
  #making: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** So much more is evicted than is needed, that it need not be done for every response. */
  #ahead!: number;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#bound(options.limit);
  }

  /** From now on this is the limit. Fulfilled when what no longer fits is gone. */
  async resize(limit: Bytes): Promise<void> {
    this.#bound(limit);
    await this.#shrink(0);
  }

  get reserved(): Bytes {
    return bytes(this.#reserved);
  }

  /** Makes room by evicting; false if that is not possible. What is stored already may grow beyond `mostPinned`. */
  reserve(size: Bytes, of: DiskHolding, isNew = true): boolean | Promise<boolean> {
    if (this.#closed || !this.mayTake(size, of, isNew)) return false;
    if (this.#fits(size, of)) {
      this.#take(size, of);
      return true;
    }
    return this.#inTurn(() => this.#make(size, of, isNew));
  }

  release(size: Bytes, of: DiskHolding): void {
    this.#reserved -= size;
    this.#options.classes.release(size, of);
  }

  /** Whether room could be made for so much of a class, if all were evicted that may be. */
  mayTake(size: Bytes, of: DiskHolding, isNew = true): boolean {
    const { maxBytes } = of.retention;
    if (this.#reserved + size > this.#ceiling || (maxBytes !== null && of.reserved + size > maxBytes)) return false;
    const full = this.pinsFull(size, of, isNew);
    if (full === null) return true;
    this.#options.classes.countRefused(of);
    this.#options.onPinsFull(full);
    return false;
  }

  /** Whether pinned responses have the room that it would take. */
  pinsFull(wanted: Bytes, of: DiskHolding, isNew = true): PinsFull | null {
    const { classes } = this.#options;
    const pinned = classes.pinned();
    if (pinned === 0 && !of.retention.pinned) return null;
    const writing = bytes(this.#reserved - classes.pinnedReserved());
    const taken = { limit: this.#limit, pinned, writing, ofClass: classes.takenBy(of) };
    return pinsFull(wanted, of.retention, taken, isNew);
  }

  /** Evicts what is beyond the share of its class. */
  trimShares(): Promise<void> {
    return this.#inTurn(async () => {
      for (const of of this.#options.classes.all()) await this.#shrinkShare(of, 0);
    });
  }

  /**
   * The disk holds less than the limit says: evicts so much, and from then on takes half of what is free. Gives whether
   * that is anything.
   */
  async giveUp(size: Bytes, free: () => Promise<Bytes>): Promise<boolean> {
    const before = this.#taken();
    this.#ceiling = Math.max(0, Math.min(this.#ceiling, before - size));
    await this.#shrink(0);
    const left = (await free()) / 2;
    this.#ceiling = Math.min(this.#limit, this.#taken() + left);
    return this.#taken() < before || left > size;
  }

  /** What was given up may be tried again. */
  restore(): void {
    this.#ceiling = this.#limit;
  }

  close(): void {
    this.#closed = true;
  }

  #bound(limit: Bytes): void {
    this.#limit = this.#ceiling = limit;
    this.#ahead = Math.min(mostAhead, Math.floor(limit / 256));
  }

  #taken(): number {
    return this.#options.taken() + this.#reserved;
  }

  #take(size: Bytes, of: DiskHolding): void {
    this.#reserved += size;
    this.#options.classes.reserve(size, of);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#making.then(task);
    this.#making = done.catch(() => undefined);
    return done;
  }

  async #make(size: Bytes, of: DiskHolding, isNew: boolean): Promise<boolean> {
    // others may take what was made room for
    for (let tries = 0; tries < mostTries; tries++) {
      await this.#shrinkShare(of, size);
      await this.#shrink(size);
      if (this.#closed || !this.mayTake(size, of, isNew)) return false;
      if (!this.#fits(size, of)) continue;
      this.#take(size, of);
      return true;
    }
    return false;
  }

  #fits(size: Bytes, of: DiskHolding): boolean {
    return this.#taken() + size <= this.#ceiling && this.#excessOf(of, size) <= 0;
  }

  /** By how much a class would be beyond its share with so much more; what is pinned is never evicted for that. */
  #excessOf(of: DiskHolding, more: number): number {
    const { maxBytes, pinned } = of.retention;
    return maxBytes === null || pinned ? 0 : this.#options.classes.takenBy(of) + more - maxBytes;
  }

  async #shrinkShare(of: DiskHolding, more: number): Promise<void> {
    while (!this.#closed && this.#excessOf(of, more) > 0) {
      if (!(await this.#options.evictFrom(of.list, bytes(this.#excessOf(of, more))))) return;
    }
  }

  async #shrink(size: number): Promise<void> {
    while (!this.#closed && this.#taken() + size > this.#ceiling) {
      if (await this.#options.clearGrave()) continue;
      const excess = this.#taken() + size - this.#ceiling;
      if (!(await this.#options.evict(bytes(excess + this.#ahead)))) return;
    }
  }
}

const mostTries = 4;
const mostAhead = 1024 * 1024;
