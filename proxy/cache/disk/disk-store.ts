import { bytes, type Bytes, type EpochMs } from '../../../config/units.js';
import { WillisError } from '../../base/errors.js';
import { BufferedBody, type Body } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import type { CacheKey } from '../cache-key.js';
import type { InvalidationOrder } from '../invalidation-marks.js';
import { covers } from '../partial.js';
import type { PurgeMode, PurgeSelector } from '../purge.js';
import type { Generation, ResponseDraft, ResponseStore, ResponseWriter, StoreUsage } from '../response-store.js';
import type { ResponseMetadata, StoredResponse } from '../stored-response.js';
import { DiskBody } from './disk-body.js';
import { isLost } from './disk-fault.js';
import { recordSize } from './disk-footprint.js';
import { openDisk } from './disk-opening.js';
import type { DiskOptions } from './disk-options.js';
import { DiskResponse } from './disk-response.js';
import { verify, type Verification } from './disk-verification.js';
import { DiskWriter, type Written } from './disk-writer.js';
import { packResponse } from './key-record.js';
import type { OpenDisk } from './open-disk.js';
import { SegmentWriter } from './segment-writer.js';
import { heldBy, segmentAt, sizeOf, type Segment } from './segment.js';

const nothing: readonly DiskResponse[] = Object.freeze([]);
/** Bytes in the index that a look-up loads, so that what was found can be read whatever happens to it. */
const loadedAtOnce = 64 * 1024;

/**
 * Stored responses on disk. An index has a record for every key; bodies that are not short are in files of their own, which
 * say what they are, so that the index can be made anew from them.
 *
 * What a method has acknowledged outlives the process, however it ends. After a loss of power everything is validated
 * before its next use, and nothing is given that is not what was stored.
 */
export class DiskStore implements ResponseStore {
  readonly #disk: OpenDisk;
  readonly #options: DiskOptions;
  readonly #order: InvalidationOrder;
  #bounds: DiskBounds;
  readonly #writers = new Set<DiskWriter>();
  #closing: Promise<void> | null = null;

  private constructor(options: DiskOptions, disk: OpenDisk) {
    this.#options = options;
    this.#disk = disk;
    this.#order = disk.order;
    this.#bounds = options;
  }

  /** Opens what is in a directory, which is made if it is not there. @throws DiskStoreError */
  static async open(options: DiskOptions): Promise<DiskStore> {
    return new DiskStore(options, await openDisk(options));
  }

  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    if (!this.#isUsable) return nothing;
    this.#disk.eviction.used(key);
    return this.#safely(this.#find(key, true), nothing);
  }

  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    return this.#isUsable ? this.#safely(this.#find(key, false), nothing) : nothing;
  }

  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean> {
    if (from >= to) return true;
    const response = asOwn(stored);
    const segment = segmentAt(response.segments, from);
    return this.#safely(this.#begin(response, segment, from), false);
  }

  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    const response = asOwn(stored);
    if (!covers(response.held, { from, to })) throw new RangeError(`bytes ${from} to ${to} are not all held`);
    this.#disk.records.opened(response);
    const segment = segmentAt(response.segments, from);
    const loaded = segment === null ? Buffer.alloc(0) : response.loaded.contents.get(segment.id);
    const start = segment?.from ?? 0;
    if (from >= to || (loaded !== undefined && start + loaded.length >= to)) {
      const isEnd = response.complete && to === response.length;
      const chunk = loaded?.subarray(from - start, Math.max(from, to) - start) ?? Buffer.alloc(0);
      return new BufferedBody([chunk], isEnd ? response.trailers : Fields.none);
    }
    const { files, reader } = this.#disk;
    files.hold(response.segments);
    return new DiskBody(response, from, to, {
      reader,
      onEnd: () => files.release(response.segments),
      onFailed: (one, error) => this.#couldNotRead(response, one, error),
    });
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    const { metadata, extend } = draft;
    const { inline } = this.#options;
    const { maxDocument } = this.#bounds;
    const maxSize = Math.floor(this.#bounds.limit / 2);
    const headSize = recordSize(metadata, Fields.none);
    const length = draft.length ?? extend?.length ?? null;
    const limit = Math.min(maxDocument, maxSize - headSize);
    if (!this.#isUsable || limit < 0 || (length !== null && length > limit)) return null;
    const base = extend instanceof DiskResponse ? extend.segments : [];
    this.#disk.files.hold(base);
    // what is evicted meanwhile is put into the index again
    const again = base.reduce((size, one) => size + (one.inline ? sizeOf(one) : 0), 0);
    const place = {
      ...{ from: draft.from, length, headSize: bytes(headSize + again), inline: inline ?? mostInline },
      limit: bytes(length === null ? limit - heldSize(base) : length - draft.from),
    };
    const writer: DiskWriter = new DiskWriter(
      this.#account(draft, base, () => writer),
      place,
    );
    this.#writers.add(writer);
    return writer;
  }

  async freshen(
    stored: StoredResponse,
    metadata: ResponseMetadata,
    generation: Generation,
  ): Promise<StoredResponse | null> {
    if (!this.#isUsable) return null;
    const { room, records } = this.#disk;
    const growth = recordSize(metadata, stored.trailers) - recordSize(stored, stored.trailers);
    let reserved = bytes(Math.max(0, growth));
    const release = (): void => {
      room.release(reserved);
      reserved = bytes(0);
    };
    const freshened = async (): Promise<DiskResponse | null> => {
      if (!(await room.reserve(reserved))) return null;
      return records.freshen(stored, metadata, generation, release).finally(release);
    };
    return this.#safely(freshened(), null);
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

  /** Reads and checks everything; what is damaged is forgotten. @param onProgress called after every key; false ends it */
  verify(onProgress: (sofar: Verification) => boolean): Promise<Verification> {
    const { index, files, reader } = this.#disk;
    return verify({
      ...{ index, files, reader },
      onDamaged: (response, segment, error) => this.#couldNotRead(response, segment, error),
      onProgress: (sofar) => this.#isUsable && onProgress(sofar),
    });
  }

  /** Gives back the room of what was deleted. Takes long; other work goes on. */
  async compact(): Promise<void> {
    await this.#safely(this.#disk.compact(), undefined);
  }

  /** Idempotent. Waits for what is being stored or changed. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const writer of this.#writers) void writer.abandon(false);
    await this.#disk.close();
  }

  get #isUsable(): boolean {
    return this.#closing === null && this.#disk.health.isWell;
  }

  async #find(key: CacheKey, isUse: boolean): Promise<readonly DiskResponse[]> {
    const record = await this.#disk.index.record(key);
    if (record === null || !this.#isUsable) return nothing;
    if (!isUse) return record.responses;
    this.#disk.eviction.touch(key, record);
    await this.#loadInline(record.responses);
    return record.responses;
  }

  /** What cannot be loaded will be found to be so by who reads it. */
  async #loadInline(responses: readonly DiskResponse[]): Promise<void> {
    let left = loadedAtOnce;
    const loading: Promise<unknown>[] = [];
    for (const { segments, loaded } of responses) {
      for (const segment of segments) {
        if (!segment.inline || segment.length > left) continue;
        left -= segment.length;
        loading.push(this.#disk.reader.blockAt(segment, segment.from, loaded).catch(() => undefined));
      }
    }
    await Promise.all(loading);
  }

  async #begin(response: DiskResponse, segment: Segment | null, from: Bytes): Promise<boolean> {
    const { files, reader } = this.#disk;
    files.hold(response.segments);
    try {
      if (segment === null) return false;
      await reader.blockAt(segment, from, response.loaded);
      return true;
    } catch (error) {
      await this.#couldNotRead(response, segment, error);
      return false;
    } finally {
      // whoever asked opens it in this turn
      setImmediate(() => files.release(response.segments));
    }
  }

  async #couldNotRead({ key }: DiskResponse, segment: Segment | null, error: unknown): Promise<void> {
    if (!isLost(error)) {
      this.#disk.health.failed(error);
      return;
    }
    const { records } = this.#disk;
    if (segment === null || !this.#isUsable) return;
    const lost = await this.#safely(records.forgetSegment(key, segment.id), 0);
    if (lost > 0) this.#options.onLost?.(key, error);
  }

  #account(draft: ResponseDraft, base: readonly Segment[], writer: () => DiskWriter) {
    const { files, room, health, system } = this.#disk;
    let isOver = false;
    return {
      reserve: (size: Bytes) => (this.#isUsable ? room.reserve(size) : false),
      release: (size: Bytes) => room.release(size),
      newName: () => this.#disk.newName(),
      openSegment: (id: string, from: Bytes, blockSize: Bytes, expected: Bytes | null) => {
        const response = { key: draft.metadata.key, length: draft.length, packed: packResponse(this.#head(draft)) };
        return new SegmentWriter(
          { files, system, onFull: () => this.#disk.onFull() },
          { id, from, blockSize, expected, response },
        );
      },
      keep: (written: Written) => this.#keep(draft, written),
      failed: (error: unknown) => health.failed(error),
      over: () => {
        if (isOver) return;
        isOver = true;
        files.release(base);
        this.#writers.delete(writer());
      },
    };
  }

  /** What the file of a response says of it. */
  #head({ metadata, generation, length }: ResponseDraft): DiskResponse {
    const { index } = this.#disk;
    const made = { id: '', sequence: 0, run: index.run, generation, segments: [], invalidated: false };
    return new DiskResponse(metadata, { ...made, length, trailers: Fields.none });
  }

  async #keep(draft: ResponseDraft, written: Written): Promise<DiskResponse | null> {
    const { records, files } = this.#disk;
    const kept = this.#isUsable ? await this.#safely(records.keep(draft, written), null) : null;
    const { segment } = written;
    const isUnused = segment !== null && !segment.inline && kept?.segments.includes(segment) !== true;
    if (isUnused) await this.#safely(files.delete(segment.id), undefined);
    return kept;
  }

  /** What the disk gives, or what stands for nothing if it fails. */
  async #safely<T>(work: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#disk.health.failed(error);
      return otherwise;
    }
  }

  /** Does what must not be lost; where it is, nothing of what is stored now will be used again without validation. */
  async #surely<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#closing !== null) return null;
    try {
      return await work();
    } catch (error) {
      await this.#disk.distrust();
      this.#disk.health.failed(error);
      return null;
    }
  }
}

export type DiskBounds = Pick<DiskOptions, 'limit' | 'maxDocument' | 'variants'>;

/** Bodies up to this are kept in the index. */
const mostInline = bytes(16 * 1024);

function asOwn(stored: StoredResponse): DiskResponse {
  if (stored instanceof DiskResponse) return stored;
  throw new WillisError('internal', `response ${stored.id} is not stored here`);
}

const heldSize = (segments: readonly Segment[]): number =>
  heldBy(segments).reduce((size, { from, to }) => size + to - from, 0);
