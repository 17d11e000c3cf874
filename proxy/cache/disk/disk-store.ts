import { bytes, type Bytes, type EpochMs } from '../../../config/units.js';
import { WillisError } from '../../base/errors.js';
import { BufferedBody, type Body } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import type { CacheKey } from '../cache-key.js';
import type { InvalidationOrder } from '../invalidation-marks.js';
import { covers } from '../partial.js';
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
import { DiskBody } from './disk-body.js';
import type { DiskHolding } from './disk-classes.js';
import { isLost } from './disk-fault.js';
import { recordSize } from './disk-footprint.js';
import { openDisk } from './disk-opening.js';
import { DiskMerging } from './disk-merging.js';
import type { DiskOptions } from './disk-options.js';
import { DiskResponse } from './disk-response.js';
import { DiskUpkeep } from './disk-upkeep.js';
import { DiskWriter, type Written } from './disk-writer.js';
import { InlineLoading } from './inline-loading.js';
import { fileDescription } from './key-record.js';
import type { OpenDisk } from './open-disk.js';
import { DamagedSegment } from './segment-format.js';
import { SegmentWriter } from './segment-writer.js';
import { heldBy, segmentAt, sizeOf, type Segment } from './segment.js';

const nothing: readonly DiskResponse[] = Object.freeze([]);
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
  readonly #inline: InlineLoading;
  readonly #merging: DiskMerging;
  #bounds: DiskBounds;
  readonly upkeep: DiskUpkeep;
  readonly #writers = new Set<DiskWriter>();
  /** What is under way of invalidations and purges. */
  readonly #changing = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  private constructor(options: DiskOptions, disk: OpenDisk) {
    this.#options = options;
    this.#disk = disk;
    this.#order = disk.order;
    this.#inline = new InlineLoading(disk.files, disk.reader);
    this.#bounds = options;
    this.#merging = this.#beginMerging(disk);
    this.upkeep = new DiskUpkeep({
      ...{ disk, clock: options.clock, directory: options.directory, limit: () => this.#bounds.limit },
      forget: (key, segment, error) => this.#couldNotRead(key, segment, error),
      forgetRecord: (key) => this.#couldNotReadRecord(key),
    });
  }

  /** Opens what is in a directory, which is made if it is not there. @throws DiskStoreError */
  static async open(options: DiskOptions): Promise<DiskStore> {
    return new DiskStore(options, await openDisk(options));
  }

  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    if (!this.#isUsable) return nothing;
    this.#disk.eviction.used(key);
    return this.#findNow(key, true) ?? this.#safely(this.#find(key, true), nothing);
  }

  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    if (!this.#isUsable) return nothing;
    return this.#findNow(key, false) ?? this.#safely(this.#find(key, false), nothing);
  }

  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean> {
    if (from >= to) return true;
    const response = asOwn(stored);
    const segment = segmentAt(response.segments, from);
    if (segment !== null && this.#beginNow(response, segment, from)) return true;
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
      onFailed: async (one, error) => {
        await this.#couldNotRead(response.key, one, error);
      },
    });
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    const { metadata, extend } = draft;
    const { inline } = this.#options;
    const headSize = recordSize(metadata, Fields.none);
    const [length, limit] = [lengthOf(draft), this.#limitFor(draft)];
    if (!this.#isUsable || limit < 0 || (length !== null && length > limit)) return null;
    const holding = this.#disk.classes.of(metadata.key);
    if (!this.#disk.room.mayTake(wantedBy(draft), holding)) return null;
    const base = extend instanceof DiskResponse ? extend.segments : [];
    this.#disk.files.hold(base);
    // what is evicted meanwhile is put into the index again
    const again = base.reduce((size, one) => size + (one.inline ? sizeOf(one) : 0), 0);
    const place = {
      ...{ from: draft.from, length, headSize: bytes(headSize + again), inline: inline ?? mostInline },
      limit: bytes(length === null ? limit - heldSize(base) : length - draft.from),
    };
    const writer: DiskWriter = new DiskWriter(
      this.#account(draft, holding, base, () => writer),
      place,
    );
    this.#writers.add(writer);
    return writer;
  }

  refusal(draft: ResponseDraft): Refusal {
    if (!this.#isUsable) return 'disk-unwell';
    if ((lengthOf(draft) ?? 0) > this.#limitFor(draft)) return 'too-large';
    const { room, classes } = this.#disk;
    return room.pinsFull(wantedBy(draft), classes.of(draft.metadata.key)) === null ? 'too-large' : 'pins-full';
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

  /** How many bytes the body of a response may have. */
  #limitFor({ metadata }: ResponseDraft): number {
    const { maxDocument, limit } = this.#bounds;
    return Math.min(maxDocument, Math.floor(limit / 2) - recordSize(metadata, Fields.none));
  }

  async #close(): Promise<void> {
    await this.upkeep.close();
    const abandoned = Promise.all([...this.#writers].map((writer) => writer.abandon(false)));
    await this.#merging.close();
    // what was half done would not be known to be so
    await Promise.all([abandoned, ...this.#changing]);
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
    await this.#inline.load(record.responses);
    return related(record.responses);
  }

  /** Null where that is better done by the thread pool. */
  #findNow(key: CacheKey, isUse: boolean): readonly DiskResponse[] | null {
    const { index, prompt, eviction } = this.#disk;
    if (!prompt.areOn()) return null;
    try {
      const record = prompt.make(() => index.recordNow(key));
      if (record === null) return nothing;
      if (!isUse) return record.responses;
      eviction.touch(key, record);
      return this.#inline.loadNow(record.responses) ? related(record.responses) : null;
    } catch (error) {
      this.#disk.health.failed(error);
      return nothing;
    }
  }

  /** Whether the first bytes are there already, or could be had at once. */
  #beginNow({ segments, loaded }: DiskResponse, segment: Segment, from: Bytes): boolean {
    try {
      if (this.#disk.reader.blockNow(segment, from, loaded) === null) return false;
    } catch {
      // it will be found again, and dealt with
      return false;
    }
    if (!loaded.contents.has(segment.id)) this.#holdForThisTurn(segments);
    return true;
  }

  /** Whoever asked opens it in this turn. */
  #holdForThisTurn(segments: readonly Segment[]): void {
    const { files } = this.#disk;
    files.hold(segments);
    setImmediate(() => files.release(segments));
  }

  async #begin(response: DiskResponse, segment: Segment | null, from: Bytes): Promise<boolean> {
    const { files, reader } = this.#disk;
    files.hold(response.segments);
    try {
      if (segment === null) return false;
      await reader.blockAt(segment, from, response.loaded);
      return true;
    } catch (error) {
      await this.#couldNotRead(response.key, segment, error);
      return false;
    } finally {
      // whoever asked opens it in this turn
      setImmediate(() => files.release(response.segments));
    }
  }

  /** Gives how many responses are forgotten for that. */
  async #couldNotRead(key: CacheKey, segment: Segment | null, error: unknown): Promise<number> {
    if (!isLost(error)) {
      this.#disk.health.failed(error);
      return 0;
    }
    const { records } = this.#disk;
    if (segment === null || !this.#isUsable) return 0;
    const lost = await this.#safely(records.forgetSegment(key, segment.id), 0);
    if (lost > 0) this.#options.onLost?.(key, error);
    return lost;
  }

  async #couldNotReadRecord(key: CacheKey): Promise<number> {
    const lost = this.#isUsable ? await this.#safely(this.#disk.records.forgetRecord(key), 0) : 0;
    if (lost > 0) this.#options.onLost?.(key, new DamagedSegment('its record is not what was stored'));
    return lost;
  }

  #account(draft: ResponseDraft, holding: DiskHolding, base: readonly Segment[], writer: () => DiskWriter) {
    const { files, room, health, system, classes } = this.#disk;
    let isOver = false;
    return {
      reserve: (size: Bytes) => (this.#isUsable ? room.reserve(size, holding) : false),
      release: (size: Bytes) => room.release(size, holding),
      newName: () => this.#disk.newName(),
      openSegment: (id: string, from: Bytes, blockSize: Bytes, expected: Bytes | null) => {
        const { metadata, generation, length } = draft;
        const response = fileDescription(metadata, generation, length, this.#disk.index.run);
        return new SegmentWriter(
          { files, system, onFull: () => this.#disk.onFull() },
          { id, from, blockSize, expected, response },
        );
      },
      keep: async (written: Written) => {
        const kept = await this.#keep(draft, written);
        // what had room in the share of one class may be too much for that of another
        if (classes.of(draft.metadata.key) !== holding) await this.#safely(room.trimShares(), undefined);
        return kept;
      },
      failed: (error: unknown) => health.failed(error),
      over: () => {
        if (isOver) return;
        isOver = true;
        files.release(base);
        this.#writers.delete(writer());
      },
    };
  }

  async #keep(draft: ResponseDraft, written: Written): Promise<DiskResponse | null> {
    const { records, files } = this.#disk;
    const kept = this.#isUsable ? await this.#safely(records.keep(draft, written), null) : null;
    const { segment } = written;
    const isUnused = segment !== null && !segment.inline && kept?.segments.includes(segment) !== true;
    if (isUnused) await this.#safely(files.delete(segment.id), undefined);
    if (kept !== null) this.#merging.consider(kept);
    return kept;
  }

  #beginMerging(disk: OpenDisk): DiskMerging {
    const { files, system, reader, records, room, classes, health, index } = disk;
    return new DiskMerging({
      ...{ files, system, reader, records, room, classes, run: index.run, inline: this.#options.inline ?? mostInline },
      newName: () => disk.newName(),
      most: () => bytes(Math.floor(this.#bounds.limit * mostMerged)),
      onFull: () => disk.onFull(),
      onFailed: (error) => health.failed(error),
    });
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

/** Which share of the limit a merge of segments may take while it goes on. */
const mostMerged = 1 / 16;
/** Bodies up to this are kept in the index. */
const mostInline = bytes(16 * 1024);

/** Found together. */
function related(responses: readonly DiskResponse[]): readonly DiskResponse[] {
  for (const one of responses) one.siblings = responses;
  return responses;
}

function asOwn(stored: StoredResponse): DiskResponse {
  if (stored instanceof DiskResponse) return stored;
  throw new WillisError('internal', `response ${stored.id} is not stored here`);
}

const lengthOf = ({ length, extend }: ResponseDraft): Bytes | null => length ?? extend?.length ?? null;

/** What it will take at least: its record, and as many bytes as it announces. */
const wantedBy = ({ metadata, length, from }: ResponseDraft): Bytes =>
  bytes(recordSize(metadata, Fields.none) + (length === null ? 0 : length - from));

const heldSize = (segments: readonly Segment[]): number =>
  heldBy(segments).reduce((size, { from, to }) => size + to - from, 0);
