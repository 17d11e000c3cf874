import { bytes, type Bytes } from '../../../config/units.js';

export interface RoomOptions {
  /** At first. */
  readonly limit: Bytes;
  /** What is taken by all but writers. */
  readonly taken: () => Bytes;
  /** Deletes a file that nothing refers to; false if there is none. */
  readonly clearGrave: () => Promise<boolean>;
  /** Forgets some of what was used longest ago, about so much; false if there is nothing left to forget. */
  readonly evict: (size: Bytes) => Promise<boolean>;
}

/**
 * The bound of a store on disk, obeyed before anything is written:
 *
 *     limit ≥ what is stored + what writers have reserved + files that are to be deleted
 */
export class DiskRoom {
  readonly #options: RoomOptions;
  #limit!: number;
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

  /** Makes room by evicting; false if that is not possible. */
  reserve(size: Bytes): boolean | Promise<boolean> {
    if (this.#closed || this.#reserved + size > this.#ceiling) return false;
    if (this.#taken() + size <= this.#ceiling) {
      this.#reserved += size;
      return true;
    }
    const made = this.#making.then(() => this.#make(size));
    this.#making = made.catch(() => undefined);
    return made;
  }

  release(size: Bytes): void {
    this.#reserved -= size;
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

  async #make(size: Bytes): Promise<boolean> {
    await this.#shrink(size);
    if (this.#closed || this.#taken() + size > this.#ceiling) return false;
    this.#reserved += size;
    return true;
  }

  async #shrink(size: number): Promise<void> {
    while (!this.#closed && this.#taken() + size > this.#ceiling) {
      if (await this.#options.clearGrave()) continue;
      const excess = this.#taken() + size - this.#ceiling;
      if (!(await this.#options.evict(bytes(excess + this.#ahead)))) return;
    }
  }
}

const mostAhead = 1024 * 1024;
