import { bytes, type Bytes, type EpochMs } from '../../../config/units.js';
import type { Body } from '../../http/body.js';
import type { CacheKey } from '../cache-key.js';
import type { InvalidationOrder } from '../invalidation-marks.js';
import type { PurgeMode, PurgeSelector } from '../purge.js';
import type {
  Generation,
  Refusal,
  ResponseDraft,
  ResponseStore,
  ResponseWriter,
  StoreUsage,
} from '../response-store.js';
import type { ClassUsage, Retention } from '../retention.js';
import type { ResponseMetadata, StoredResponse } from '../stored-response.js';
import { recordSize } from './disk-footprint.js';
import { openDisk } from './disk-opening.js';
import type { DiskOptions } from './disk-options.js';
import { DiskReading } from './disk-reading.js';
import type { DiskResponse } from './disk-response.js';
import { DiskUpkeep } from './disk-upkeep.js';
import { DiskWriting } from './disk-writing.js';
import type { OpenDisk } from './open-disk.js';

/**
 * Stored responses on disk. An index has a record for every key; bodies that are not short are in files of their own, which
 * say what they are, so that the index can be made anew from them.
 *
 * What a method has acknowledged outlives the process, however it ends. After a loss of power everything is validated
 * before its next use, and nothing is given that is not what was stored.
 */
export class DiskStore implements ResponseStore {
  readonly #disk: OpenDisk;
  readonly #order: InvalidationOrder;
  readonly #reading: DiskReading;
  readonly #writing: DiskWriting;
  #bounds: DiskBounds;
  readonly upkeep: DiskUpkeep;
  /** What is under way of invalidations and purges. */
  readonly #changing = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  private constructor(options: DiskOptions, disk: OpenDisk) {
    this.#disk = disk;
    this.#order = disk.order;
    this.#bounds = options;
    const isUsable = (): boolean => this.#isUsable;
    this.#reading = new DiskReading(disk, { isUsable, onLost: options.onLost });
    const inline = options.inline ?? mostInline;
    const forget: DiskReading['forget'] = (key, segment, error) => this.#reading.forget(key, segment, error);
    this.#writing = new DiskWriting(disk, { isUsable, bounds: () => this.#bounds, inline, onUnread: forget });
    this.upkeep = new DiskUpkeep({
      ...{ disk, clock: options.clock, directory: options.directory, limit: () => this.#bounds.limit },
      forget,
      forgetRecord: (key) => this.#reading.forgetRecord(key),
    });
  }

  /** Opens what is in a directory, which is made if it is not there. @throws DiskStoreError */
  static async open(options: DiskOptions): Promise<DiskStore> {
    return new DiskStore(options, await openDisk(options));
  }

  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    return this.#reading.lookUp(key);
  }

  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    return this.#reading.peek(key);
  }

  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean> {
    return this.#reading.ready(stored, from, to);
  }

  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    return this.#reading.open(stored, from, to);
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    return this.#writing.write(draft);
  }

  refusal(draft: ResponseDraft): Refusal {
    return this.#writing.refusal(draft);
  }

  async freshen(
    stored: StoredResponse,
    metadata: ResponseMetadata,
    generation: Generation,
  ): Promise<StoredResponse | null> {
    if (!this.#isUsable) return null;
    const { room, records, classes } = this.#disk;
    const holding = classes.of(metadata.key);
    const growth = recordSize(metadata, stored.trailers) - recordSize(stored, stored.trailers);
    let reserved = bytes(Math.max(0, growth));
    const release = (): void => {
      room.release(reserved, holding);
      reserved = bytes(0);
    };
    const freshened = async (): Promise<DiskResponse | null> => {
      if (!(await room.reserve(reserved, holding, false))) {
        reserved = bytes(0);
        return null;
      }
      return records.freshen(stored, metadata, generation, release).finally(release);
    };
    return this.#disk.health.orElse(freshened(), null);
  }

  async remove(stored: StoredResponse): Promise<void> {
    await this.#surely(() => this.#disk.records.remove(stored));
  }

  async invalidate(key: CacheKey): Promise<void> {
    await this.#surely(() => this.#disk.records.invalidate(key));
  }

  async invalidateGroup(origin: string, group: string): Promise<void> {
    await this.#surely(() => this.#disk.records.invalidateGroup(origin, group));
  }

  async purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    return (await this.#surely(() => this.#disk.records.purge(selector, mode, now))) ?? 0;
  }

  /** From now on these bounds hold. Fulfilled when what no longer fits is gone; what is too long goes in its own time. */
  resize(bounds: DiskBounds): Promise<void> {
    this.#bounds = bounds;
    return this.#disk.resize(bounds);
  }

  retain(retention: Retention): Promise<void> {
    return this.#disk.retain(retention);
  }

  classes(): readonly ClassUsage[] {
    return this.#closing === null ? this.#disk.classes.usage() : [];
  }

  /** What pinned responses take, those included that are being written. */
  get pinned(): Bytes {
    return this.#disk.classes.pinned();
  }

  /** False from when the disk began to fail until it works again. */
  get isWell(): boolean {
    return this.#disk.health.isWell;
  }

  /** Nothing of what is stored now will be used without validation once the disk is well again. */
  distrust(): Promise<void> {
    return this.#disk.distrust();
  }

  generation(): Generation {
    return this.#order.current();
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#disk.records.isInvalidatedAfter(key, generation);
  }

  usage(): StoreUsage {
    const { index, room, eviction } = this.#disk;
    const { responses, bytes: stored } = index.journal.totals;
    const isClosed = this.#closing !== null;
    return {
      responses: isClosed ? 0 : responses,
      bytes: isClosed ? bytes(0) : bytes(stored + room.reserved),
      limit: this.#bounds.limit,
      evicted: eviction.evicted,
    };
  }

  /** Idempotent. Waits for what is being stored or changed. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.upkeep.close();
    await this.#writing.close();
    // what was half done would not be known to be so
    await Promise.all(this.#changing);
    await this.#disk.close();
  }

  get #isUsable(): boolean {
    return this.#closing === null && this.#disk.health.isWell;
  }

  /** Does what must not be lost; where it is, nothing of what is stored now will be used again without validation. */
  #surely<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#closing !== null) return Promise.resolve(null);
    const done = work().catch(async (error: unknown) => {
      await this.#disk.distrust();
      this.#disk.health.failed(error);
      return null;
    });
    this.#changing.add(done);
    return done.finally(() => this.#changing.delete(done));
  }
}

export type DiskBounds = Pick<DiskOptions, 'limit' | 'maxDocument' | 'variants'>;

/** Bodies up to this are kept in the index. */
const mostInline = bytes(16 * 1024);
