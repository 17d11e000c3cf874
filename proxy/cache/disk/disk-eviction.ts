import type { Bytes } from '../../../config/units.js';
import type { Clock } from '../../base/clock.js';
import type { CacheKey } from '../cache-key.js';
import type { DiskIndex } from './disk-index.js';
import { sequenceOfUse, useKey, usesFrom } from './index-keys.js';
import type { KeyLocks } from './key-locks.js';
import type { KeyRecord } from './key-record.js';
import { RecentUses } from './recent-uses.js';
import { indexChange } from './record-change.js';
import type { SegmentFiles } from './segment-files.js';

export interface EvictionParts {
  readonly index: DiskIndex;
  readonly locks: KeyLocks;
  readonly files: SegmentFiles;
  readonly clock: Clock;
  readonly isUsed?: ((key: CacheKey) => boolean) | undefined;
}

interface Candidate {
  readonly use: number;
  readonly size: number;
  readonly key: CacheKey;
}

/** For so many keys their last use is known exactly; for others to the hour. */
const usesKnown = 32_768;
const hour = 3_600_000;
/** How many are read ahead of the walk, and evicted at once at most. */
const readAhead = 256;
const atOnce = 32;
const mostTouching = 256;
const mostSpared = 4096;

/**
 * Which keys were used longest ago. A use is recorded once an hour, which makes an order that outlives the process; the uses
 * since then are known in memory, for as many keys as fit. A key whose turn has come and that was used since is recorded
 * anew instead of being evicted.
 */
export class DiskEviction {
  readonly #parts: EvictionParts;
  readonly #uses = new RecentUses(usesKnown);
  /** What the walk has read ahead, the longest unused last. */
  #ahead: Candidate[] = [];
  #next = 0;
  #touching = 0;
  #evicted = 0;
  /** In a row. */
  #spared = 0;

  constructor(parts: EvictionParts) {
    this.#parts = parts;
  }

  /** Responses evicted to make room. */
  get evicted(): number {
    return this.#evicted;
  }

  count(evicted: number): void {
    this.#evicted += evicted;
  }

  /** A key was asked for. */
  used(key: CacheKey): void {
    this.#uses.note(key, this.#parts.index.journal.nextSequence());
  }

  /** Records the use of a key, if it was recorded last in an earlier hour. */
  touch(key: CacheKey, record: KeyRecord): void {
    if (record.hour >= this.hour() || this.#touching >= mostTouching || this.#parts.locks.isHeld(key)) return;
    this.#touching++;
    void this.#parts.locks
      .run(key, () => this.#renew(key, record.use))
      // it counts as used longer ago than it was
      .catch(() => undefined)
      .finally(() => this.#touching--);
  }

  hour(): number {
    return Math.floor(this.#parts.clock.now() / hour);
  }

  /** Evicts about so much of what was used longest ago; false if there is nothing that could be. */
  async evict(size: Bytes): Promise<boolean> {
    const held: Candidate[] = [];
    const chosen = await this.#choose(size, held);
    const results = await Promise.allSettled(
      chosen.map((one) => this.#parts.locks.run(one.key, () => this.#evictOne(one))),
    );
    this.#ahead.push(...held);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return chosen.length > 0;
  }

  /** Those that are being changed are in use, and are left for later. */
  async #choose(size: Bytes, held: Candidate[]): Promise<Candidate[]> {
    const chosen: Candidate[] = [];
    for (let found = 0; found < size && chosen.length < atOnce;) {
      const one = this.#ahead.pop() ?? (await this.#readOn());
      if (one === null) break;
      if (this.#parts.locks.isHeld(one.key)) held.push(one);
      else {
        found += one.size;
        chosen.push(one);
      }
    }
    return chosen;
  }

  /** Behind what was read before: what was passed since is deleted, and level is slow to step over it. */
  async #readOn(): Promise<Candidate | null> {
    const read: Candidate[] = [];
    for await (const [found, value] of this.#parts.index.entries({ ...usesFrom(this.#next), most: readAhead })) {
      const use = sequenceOfUse(found);
      this.#next = use + 1;
      const text = value.toString();
      const space = text.indexOf(' ');
      read.push({ use, size: Number(text.slice(0, space)), key: text.slice(space + 1) as CacheKey });
    }
    this.#ahead = [...this.#ahead, ...read.reverse()];
    return this.#ahead.pop() ?? null;
  }

  async #evictOne({ key, use }: Candidate): Promise<void> {
    const { index, files } = this.#parts;
    const record = await index.record(key);
    if (record?.use !== use) {
      await index.journal.write({ changes: [{ type: 'del', key: useKey(use) }] });
    } else if (this.#isUsed(key, use)) await this.#renew(key, use);
    else {
      this.#spared = 0;
      const evicted = record.responses.length;
      const onWritten = (): void => this.count(evicted);
      await index.journal.write(indexChange({ key, before: record, after: null, onWritten }, files));
    }
  }

  /** What is used elsewhere is spared only as long as there is something else to evict. */
  #isUsed(key: CacheKey, use: number): boolean {
    if (this.#uses.of(key) > use) return true;
    return this.#parts.isUsed?.(key) === true && ++this.#spared <= mostSpared;
  }

  async #renew(key: CacheKey, use: number): Promise<void> {
    const { index, files } = this.#parts;
    const before = await index.record(key);
    if (before?.use !== use) return;
    const after = { ...before, use: index.journal.nextSequence(), hour: this.hour() };
    await index.journal.write(indexChange({ key, before, after }, files));
  }
}
