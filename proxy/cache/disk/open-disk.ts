import { setInterval as every } from 'node:timers';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { InvalidationOrder } from '../invalidation-marks.js';
import { noRetention, type Retention } from '../retention.js';
import { DiskClasses } from './disk-classes.js';
import { DiskEviction } from './disk-eviction.js';
import type { Rebuilt, StoreParts } from './bring-up.js';
import type { FoundDirectory } from './disk-format.js';
import { DiskHealth } from './disk-health.js';
import type { DiskIndex } from './disk-index.js';
import type { DiskOptions } from './disk-options.js';
import { DiskReclassification } from './disk-reclassification.js';
import type { Rebuilding } from './disk-rebuild.js';
import { DiskRecords, type RecordBounds } from './disk-records.js';
import { DiskRecovery } from './disk-recovery.js';
import { DiskRoom } from './disk-room.js';
import { DiskSweep } from './disk-sweep.js';
import type { FileSystem } from './file-system.js';
import { IndexSize } from './index-size.js';
import { KnownBlocks } from './known-blocks.js';
import { PromptReads } from './prompt-reads.js';
import { graveCleared } from './record-change.js';
import type { SegmentFiles } from './segment-files.js';
import { SegmentReader } from './segment-reader.js';

/** How often what is left behind is looked after. */
const tidying = 5000;
const mostTidied = 1000;
/** So much of a disk that is full is given up at once, and tried again after a minute. */
const givenUp = bytes(1024 * 1024);
const restoredAfter = 12;
const retriedAfter = milliseconds(5000);

/** A store on disk that is open: its parts, put together, and what is to be done for it now and then. */
export class OpenDisk {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly order: InvalidationOrder;
  readonly reader: SegmentReader;
  /** One that keeps nobody waiting, and believes nothing that it was not shown. */
  readonly thoroughReader: SegmentReader;
  readonly classes: DiskClasses;
  readonly eviction: DiskEviction;
  readonly room: DiskRoom;
  readonly records: DiskRecords;
  readonly health: DiskHealth;
  readonly #options: DiskOptions;
  readonly #parts: StoreParts;
  readonly #recovery: DiskRecovery;
  readonly indexSize: IndexSize;
  readonly sweep: DiskSweep;
  readonly #reclassification: DiskReclassification;
  readonly prompt: PromptReads;
  #timer: NodeJS.Timeout | undefined;
  #tidying: Promise<void> = Promise.resolve();
  #gravesBefore = 0;
  #ticks = 0;
  #names = 0;

  constructor(options: DiskOptions, parts: StoreParts) {
    const { index, files, system, locks } = parts;
    const order = options.order ?? new InvalidationOrder();
    this.#options = options;
    this.#parts = parts;
    this.index = index;
    this.files = files;
    this.system = system;
    this.order = order;
    this.indexSize = new IndexSize(join(options.directory, 'index'), system);
    this.prompt = new PromptReads(options.clock, system);
    index.readPromptly(this.prompt);
    const reading = {
      files,
      content: (id: string) => index.content(id),
      contentNow: (id: string) => index.contentNow(id),
    };
    this.reader = new SegmentReader({ ...reading, prompt: this.prompt, known: new KnownBlocks() });
    this.thoroughReader = new SegmentReader({ ...reading, prompt: null, known: null });
    this.classes = new DiskClasses(index.journal, options.retention ?? noRetention);
    const { classes } = this;
    this.eviction = new DiskEviction({ index, locks, files, classes, clock: options.clock, isUsed: options.isUsed });
    this.room = new DiskRoom({
      limit: options.limit,
      classes,
      taken: () => bytes(index.journal.totals.bytes + files.graveBytes + this.indexSize.excess),
      clearGrave: () => this.#clearGrave(),
      evict: (size) => this.eviction.evict(size),
      evictFrom: (list, size) => this.eviction.evictFrom(list, size),
      onPinsFull: (full) => options.onPinsFull?.(full),
    });
    const { eviction } = this;
    const newName = (): string => this.newName();
    this.records = new DiskRecords({
      index,
      locks,
      files,
      eviction,
      classes,
      order,
      newName,
      bounds: recordBounds(options),
    });
    const { onUnwell, onWell, retryAfter } = options;
    this.health = new DiskHealth({
      ...{ onUnwell, onWell, retryAfter: retryAfter ?? retriedAfter },
      recover: (cause) => this.#recovery.recover(cause),
    });
    const failed = (error: unknown): void => this.health.failed(error);
    this.sweep = new DiskSweep(parts);
    this.#reclassification = new DiskReclassification({
      ...{ index, classes, eviction },
      trim: () => this.room.trimShares(),
      onFailed: failed,
    });
    this.#recovery = new DiskRecovery(options, {
      ...{ ...parts, health: this.health, onFull: () => this.onFull() },
      onUp: (needsSweep) => {
        eviction.restart();
        if (needsSweep) this.sweep.begin(failed);
        if (options.retention !== null) void this.#reclassification.begin();
      },
    });
  }

  /** Opens the index. Rejects if there is none, or another process has it. To be closed in any case. */
  async begin(found: FoundDirectory): Promise<void> {
    await this.#recovery.begin(found);
    this.#timer = every(() => {
      this.#tidying = this.#tidy();
    }, tidying);
    this.#timer.unref();
  }

  /** Never given twice in the life of a store. */
  newName(): string {
    return `${this.index.run}${(++this.#names).toString(36).padStart(6, '0')}`;
  }

  /** From now on these bounds hold. Fulfilled when what no longer fits is gone. */
  async resize(bounds: Pick<DiskOptions, 'limit' | 'variants'>): Promise<void> {
    this.records.bounds = recordBounds(bounds);
    await this.room.resize(bounds.limit).catch((error: unknown) => this.health.failed(error));
  }

  /** From now on this says what is pinned and what has a share. Fulfilled when what is beyond that is gone. */
  async retain(retention: Retention): Promise<void> {
    this.classes.retain(retention);
    await this.#reclassification.begin();
  }

  /** The disk holds less than the limit says. Gives whether there is more room now. */
  onFull(): Promise<boolean> {
    return this.room.giveUp(givenUp, () => this.system.free(this.#options.directory));
  }

  /** Something was not recorded that must not be lost: from now on nothing of what is stored is used without validation. */
  distrust(): Promise<void> {
    return this.#recovery.distrust();
  }

  /** Makes the index anew from what is sound in it and from the files; the store is unwell meanwhile. */
  rebuild(onProgress?: Rebuilding['onProgress']): Promise<Rebuilt> {
    return this.#recovery.rebuild(onProgress);
  }

  /** Gives back the room of what was deleted. @param onCleared what is left to do is in the index */
  async compact(onCleared: () => void): Promise<void> {
    await this.#clearGraves(Infinity);
    onCleared();
    await this.index.compact();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.room.close();
    this.#recovery.stop();
    await Promise.all([this.health.close(), this.sweep.close(), this.#reclassification.close(), this.#tidying]);
    await this.#parts.locks.settled();
    if (this.health.isWell) await this.#clearGraves(mostTidied).catch(() => undefined);
    await this.index.journal.settled();
    this.files.close();
    await this.#recovery.close();
  }

  async #clearGrave(): Promise<boolean> {
    const grave = await this.files.clearGrave();
    if (grave === null) return false;
    const noted = this.index.journal.write({ changes: graveCleared(grave) });
    noted.catch((error: unknown) => this.health.failed(error));
    return true;
  }

  async #clearGraves(most: number): Promise<void> {
    for (let i = 0; i < most && (await this.#clearGrave()); i++);
  }

  /** Clears the graves that were there the last time, and looks how large the index is. */
  async #tidy(): Promise<void> {
    if (!this.health.isWell) return;
    if (++this.#ticks % restoredAfter === 0) this.room.restore();
    this.#reclassification.resume();
    try {
      await this.#clearGraves(Math.min(this.#gravesBefore, mostTidied));
      this.#gravesBefore = this.files.graves;
      this.files.partlyLoaded.forget();
      const { bytes: all, files } = this.index.journal.totals;
      await this.indexSize.measure(bytes(all - files), () => this.index.compact());
    } catch (error) {
      this.health.failed(error);
    }
  }
}

const recordBounds = ({ limit, variants }: Pick<DiskOptions, 'limit' | 'variants'>): RecordBounds => ({
  variants: Math.max(1, variants),
  maxSize: bytes(Math.floor(limit / 2)),
});
