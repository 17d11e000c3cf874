import { setInterval as every } from 'node:timers';
import { join } from 'node:path';
import { bytes, type Milliseconds } from '../../../config/units.js';
import { KeyValueError, openKeyValue, repairKeyValue, type KeyValue } from '../../base/key-value.js';
import type { InvalidationOrder } from '../invalidation-marks.js';
import { DiskEviction } from './disk-eviction.js';
import { diskFault } from './disk-fault.js';
import { DiskHealth } from './disk-health.js';
import type { DiskIndex } from './disk-index.js';
import type { DiskOptions } from './disk-options.js';
import { recount } from './disk-rebuild.js';
import { DiskRecords, type RecordBounds } from './disk-records.js';
import { DiskRoom } from './disk-room.js';
import { DiskSweep } from './disk-sweep.js';
import type { FileSystem } from './file-system.js';
import { hasDropped } from './index-loss.js';
import { IndexSize } from './index-size.js';
import { graveKey, runKey, totalsKey } from './index-keys.js';
import { decodeTotals } from './index-journal.js';
import type { KeyLocks } from './key-locks.js';
import { encodeRun } from './run-marker.js';
import type { SegmentFiles } from './segment-files.js';
import { SegmentReader } from './segment-reader.js';

export interface OpenDiskParts {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly locks: KeyLocks;
  readonly order: InvalidationOrder;
  readonly boot: string | null;
  /** Whether there may be files that nothing refers to. */
  readonly needsSweep: boolean;
  readonly retryAfter: Milliseconds;
}

/** How often what is left behind is looked after. */
const tidying = 5000;
const mostTidied = 1000;
/** So much of a disk that is full is given up at once, and tried again after a minute. */
const givenUp = bytes(1024 * 1024);
const restoredAfter = 12;

/** A store on disk that is open: its parts, put together, and what is to be done for it now and then. */
export class OpenDisk {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly order: InvalidationOrder;
  readonly reader: SegmentReader;
  readonly eviction: DiskEviction;
  readonly room: DiskRoom;
  readonly records: DiskRecords;
  readonly health: DiskHealth;
  readonly #options: DiskOptions;
  readonly #parts: OpenDiskParts;
  readonly #size: IndexSize;
  readonly #sweep: DiskSweep;
  readonly #timer: NodeJS.Timeout;
  #tidying: Promise<void> = Promise.resolve();
  #gravesBefore = 0;
  #ticks = 0;
  #names = 0;
  #isDistrusted = false;

  constructor(options: DiskOptions, parts: OpenDiskParts) {
    const { index, files, system, locks, order, retryAfter } = parts;
    this.#options = options;
    this.#parts = parts;
    this.index = index;
    this.files = files;
    this.system = system;
    this.order = order;
    this.#size = new IndexSize(join(options.directory, 'index'), system);
    this.reader = new SegmentReader(files, (id) => index.content(id));
    this.eviction = new DiskEviction({ index, locks, files, clock: options.clock, isUsed: options.isUsed });
    this.room = new DiskRoom({
      limit: options.limit,
      taken: () => bytes(index.journal.totals.bytes + files.graveBytes + this.#size.excess),
      clearGrave: () => this.#clearGrave(),
      evict: (size) => this.eviction.evict(size),
    });
    const { eviction } = this;
    const newName = (): string => this.newName();
    this.records = new DiskRecords({
      index,
      locks,
      files,
      eviction,
      order,
      newName,
      bounds: recordBounds(options),
    });
    const { onUnwell, onWell } = options;
    this.health = new DiskHealth({ onUnwell, onWell, retryAfter, recover: (cause) => this.#recover(cause) });
    this.#sweep = new DiskSweep(parts);
    if (parts.needsSweep) this.#sweep.begin((error) => this.health.failed(error));
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

  /** The disk holds less than the limit says. Gives whether there is more room now. */
  onFull(): Promise<boolean> {
    return this.room.giveUp(givenUp, () => this.system.free(this.#options.directory));
  }

  /** Something was not recorded that must not be lost: from now on nothing of what is stored is used without validation. */
  async distrust(): Promise<void> {
    this.#isDistrusted = true;
    // also if this process does not live to note it; a file can be deleted where none can be written
    await this.system.unlink(this.#trustedPath).catch(() => undefined);
  }

  async compact(): Promise<void> {
    await this.#clearGraves(Infinity);
    await this.index.compact();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.room.close();
    await Promise.all([this.health.close(), this.#sweep.close(), this.#tidying]);
    await this.#parts.locks.settled();
    if (this.health.isWell) await this.#clearGraves(mostTidied).catch(() => undefined);
    await this.index.journal.settled();
    this.files.close();
    if (this.health.isWell && !this.#isDistrusted) {
      const clean = encodeRun(this.#parts.boot, true);
      await this.index.change([{ type: 'put', key: runKey, value: clean }], { durable: true }).catch(() => undefined);
    }
    await this.index.closeNote();
    await this.index.close();
  }

  get #trustedPath(): string {
    return join(this.#options.directory, 'trusted');
  }

  async #clearGrave(): Promise<boolean> {
    const id = await this.files.clearGrave();
    if (id === null) return false;
    const noted = this.index.journal.write({ changes: [{ type: 'del', key: graveKey(id) }] });
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
    try {
      await this.#clearGraves(Math.min(this.#gravesBefore, mostTidied));
      this.#gravesBefore = this.files.graves;
      const { bytes: all, files } = this.index.journal.totals;
      await this.#size.measure(bytes(all - files), () => this.index.compact());
    } catch (error) {
      this.health.failed(error);
    }
  }

  async #recover(cause: unknown): Promise<void> {
    const { index } = this.#parts;
    await index.journal.settled();
    if (cause instanceof KeyValueError) await this.#reopen();
    const probe = join(this.#options.directory, 'tmp', 'probe');
    await this.system.writeText(probe, 'x'.repeat(64 * 1024));
    await this.system.unlink(probe);
    if (diskFault(cause) === 'full') await this.onFull();
    await index.journal.write({ changes: [] });
    if (!this.#isDistrusted) return;
    await index.distrustAll();
    await this.system.writeText(this.#trustedPath, index.run);
    this.#isDistrusted = false;
  }

  /** Level stands still after a failure until it is opened again. */
  async #reopen(): Promise<void> {
    const { index } = this.#parts;
    const path = join(this.#options.directory, 'index');
    await index.close();
    const open = (): Promise<KeyValue> => (this.#options.openRecords ?? openKeyValue)(path);
    const { records, isRepaired } = await open().then(
      (again) => ({ records: again, isRepaired: false }),
      async (error: unknown) => {
        if (!(error instanceof KeyValueError) || error.fault !== 'damaged') throw error;
        await repairKeyValue(path);
        await this.system.removeDirectory(join(path, 'lost'));
        const repaired = await open();
        // see disk-opening.ts
        await repaired.compact();
        return { records: repaired, isRepaired: true };
      },
    );
    index.reopened(records);
    const counted = await records.get(totalsKey);
    const totals = counted === undefined ? null : decodeTotals(counted);
    if (totals !== null) index.journal.correct(totals);
    if (isRepaired || totals === null || (await hasDropped(path, this.system))) {
      await recount(this.#parts);
      this.#isDistrusted = true;
    }
  }
}

const recordBounds = ({ limit, variants }: Pick<DiskOptions, 'limit' | 'variants'>): RecordBounds => ({
  variants: Math.max(1, variants),
  maxSize: bytes(Math.floor(limit / 2)),
});
