import type { Bytes } from '../../../config/units.js';
import type { Clock } from '../../base/clock.js';
import type { CacheKey } from '../cache-key.js';
import type { DiskClasses } from './disk-classes.js';
import type { DiskIndex } from './disk-index.js';
import { restoreUses } from './disk-rebuild.js';
import { useKey } from './index-keys.js';
import type { KeyLocks } from './key-locks.js';
import type { KeyRecord } from './key-record.js';
import { RecentUses } from './recent-uses.js';
import { indexChange } from './record-change.js';
import type { SegmentFiles } from './segment-files.js';
import { UseWalk, type Candidate } from './use-walk.js';

export interface EvictionParts {
  readonly index: DiskIndex;
  readonly locks: KeyLocks;
  readonly files: SegmentFiles;
  readonly classes: DiskClasses;
  readonly clock: Clock;
  readonly isUsed?: ((key: CacheKey) => boolean) | undefined;
}

/** For so many keys their last use is known exactly; for others to the hour. */
const usesKnown = 32_768;
const hour = 3_600_000;
/** How many are evicted at once at most. */
const atOnce = 32;
const mostTouching = 256;
const mostSpared = 4096;

/**
 * Which keys were used longest ago. A use is recorded once an hour, which makes an order that outlives the process; the uses
 * since then are known in memory, for as many keys as fit. A key whose turn has come and that was used since is recorded
 * anew instead of being evicted; one that is in another class by now goes to the list of that.
 */
export class DiskEviction {
  readonly #parts: EvictionParts;
  readonly #uses = new RecentUses(usesKnown);
  readonly #walks = new Map<string, UseWalk>();
  #touching = 0;
  #evicted = 0;
  /** In a row. */
  #spared = 0;
  /** Whether the uses were made anew since the index was opened. */
  #isRestored = false;

  constructor(parts: EvictionParts) {
    this.#parts = parts;
  }

  /** Responses evicted to make room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** @param list the one that they were in */
  count(evicted: number, list: string): void {
    this.#evicted += evicted;
    this.#parts.classes.countEvicted(list, evicted);
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

  /** Evicts about so much of what is not pinned and was used longest ago; false if there is nothing that could be. */
  evict(size: Bytes): Promise<boolean> {
    return this.#evictOf(this.#parts.classes.evictable(), size);
  }

  /** The same of one list. */
  evictFrom(list: string, size: Bytes): Promise<boolean> {
    return this.#evictOf([list], size);
  }

  /** The index is another one: the lists are gone through from their beginnings. */
  restart(): void {
    this.#walks.clear();
    this.#isRestored = false;
  }

  /** Puts a key into the list of its class, in the place that its last use gives it, unless it changed meanwhile. */
  reclassify({ key, use, list }: Omit<Candidate, 'size'>): Promise<void> {
    return this.#parts.locks.run(key, async () => {
      const record = await this.#parts.index.record(key);
      if (record?.use === use && record.list === list) await this.#move(key, record);
    });
  }

  async #evictOf(lists: readonly string[], size: Bytes): Promise<boolean> {
    const held: Candidate[] = [];
    const chosen = await this.#choose(lists, size, held);
    const results = await Promise.allSettled(
      chosen.map((one) => this.#parts.locks.run(one.key, () => this.#evictOne(one))),
    );
    for (const one of held) this.#walkOf(one.list).putBack(one);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    if (chosen.length > 0 || held.length > 0 || !(await this.#restore(lists))) return chosen.length > 0;
    return this.#evictOf(lists, size);
  }

  /** Where less is found than there is the index has lost uses: makes them anew. */
  async #restore(lists: readonly string[]): Promise<boolean> {
    const { index, classes } = this.#parts;
    if (this.#isRestored || lists.every((list) => classes.countOf(list).responses === 0)) return false;
    this.#isRestored = true;
    await restoreUses(index);
    this.#walks.clear();
    return true;
  }

  /** Those that are being changed are in use, and are left for later. */
  async #choose(lists: readonly string[], size: Bytes, held: Candidate[]): Promise<Candidate[]> {
    const chosen: Candidate[] = [];
    const walks = lists.map((list) => this.#walkOf(list));
    const heads = await Promise.all(walks.map((walk) => walk.head()));
    for (let found = 0; found < size && chosen.length < atOnce;) {
      const at = longestUnused(heads);
      const [one, walk] = [heads[at], walks[at]];
      if (one == null || walk === undefined) break;
      walk.take(one);
      heads[at] = await walk.head();
      if (this.#parts.locks.isHeld(one.key)) held.push(one);
      else {
        found += one.size;
        chosen.push(one);
      }
    }
    return chosen;
  }

  #walkOf(list: string): UseWalk {
    const known = this.#walks.get(list);
    if (known !== undefined) return known;
    const walk = new UseWalk(this.#parts.index, list);
    this.#walks.set(list, walk);
    return walk;
  }

  async #evictOne({ key, use, list }: Candidate): Promise<void> {
    const { index, files, classes } = this.#parts;
    const record = await index.record(key);
    if (record?.use !== use || record.list !== list) {
      await index.journal.write({ changes: [{ type: 'del', key: useKey(use, list) }] });
    } else if (classes.listOf(key) !== list) await this.#move(key, record);
    else if (this.#isUsed(key, use)) await this.#renew(key, use);
    else {
      this.#spared = 0;
      const evicted = record.responses.length;
      const onWritten = (): void => this.count(evicted, list);
      await index.journal.write(indexChange({ key, before: record, after: null, onWritten }, files));
    }
  }

  /** What is used elsewhere is spared only as long as there is something else to evict. */
  #isUsed(key: CacheKey, use: number): boolean {
    if (this.#uses.of(key) > use) return true;
    return this.#parts.isUsed?.(key) === true && ++this.#spared <= mostSpared;
  }

  async #renew(key: CacheKey, use: number): Promise<void> {
    const { index, files, classes } = this.#parts;
    const before = await index.record(key);
    if (before?.use !== use) return;
    const after = { ...before, use: index.journal.nextSequence(), hour: this.hour(), list: classes.listOf(key) };
    await index.journal.write(indexChange({ key, before, after }, files));
  }

  async #move(key: CacheKey, before: KeyRecord): Promise<void> {
    const { index, files, classes } = this.#parts;
    const list = classes.listOf(key);
    if (list === before.list) return;
    await index.journal.write(indexChange({ key, before, after: { ...before, list } }, files));
    this.#walkOf(list).includes(before.use);
  }
}

/** Where it is; -1 if there is none. */
function longestUnused(heads: readonly (Candidate | null)[]): number {
  let longest = -1;
  for (const [i, one] of heads.entries()) {
    if (one !== null && one.use < (heads[longest]?.use ?? Infinity)) longest = i;
  }
  return longest;
}
