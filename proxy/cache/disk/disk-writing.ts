import { bytes, type Bytes } from '../../../config/units.js';
import { Fields } from '../../http/fields.js';
import type { Refusal, ResponseDraft, ResponseWriter } from '../response-store.js';
import type { DiskHolding } from './disk-classes.js';
import { recordSize } from './disk-footprint.js';
import { DiskMerging, type MergingParts } from './disk-merging.js';
import type { DiskOptions } from './disk-options.js';
import { DiskResponse } from './disk-response.js';
import { DiskWriter, type Written } from './disk-writer.js';
import { fileDescription } from './key-record.js';
import type { OpenDisk } from './open-disk.js';
import { SegmentWriter } from './segment-writer.js';
import { heldBy, sizeOf, type Segment } from './segment.js';

export interface WritingOptions {
  /** False while the disk fails, and once the store is closed. */
  readonly isUsable: () => boolean;
  readonly bounds: () => Pick<DiskOptions, 'limit' | 'maxDocument'>;
  /** Bodies up to this are kept in the index. */
  readonly inline: Bytes;
  /** As in `MergingParts`. */
  readonly onUnread: MergingParts['onUnread'];
}

/** Which share of the limit a merge of segments may take while it goes on. */
const mostMerged = 1 / 16;

/** Stores responses on disk, and merges those that came in pieces. Methods as in `ResponseStore`. */
export class DiskWriting {
  readonly #disk: OpenDisk;
  readonly #options: WritingOptions;
  readonly #merging: DiskMerging;
  readonly #writers = new Set<DiskWriter>();

  constructor(disk: OpenDisk, options: WritingOptions) {
    this.#disk = disk;
    this.#options = options;
    const { files, system, reader, records, room, classes, health, index } = disk;
    this.#merging = new DiskMerging({
      ...{ files, system, reader, records, room, classes, run: index.run, inline: options.inline },
      newName: () => disk.newName(),
      most: () => bytes(Math.floor(options.bounds().limit * mostMerged)),
      onFull: () => disk.onFull(),
      onUnread: options.onUnread,
      onFailed: (error) => health.failed(error),
    });
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    const { metadata, extend } = draft;
    const headSize = recordSize(metadata, Fields.none);
    const [length, limit] = [lengthOf(draft), this.#limitFor(draft)];
    if (!this.#options.isUsable() || limit < 0 || (length !== null && length > limit)) return null;
    const holding = this.#disk.classes.of(metadata.key);
    if (!this.#disk.room.mayTake(wantedBy(draft), holding)) return null;
    const base = extend instanceof DiskResponse ? extend.segments : [];
    this.#disk.files.hold(base);
    // what is evicted meanwhile is put into the index again
    const again = base.reduce((size, one) => size + (one.inline ? sizeOf(one) : 0), 0);
    const place = {
      ...{ from: draft.from, length, headSize: bytes(headSize + again), inline: this.#options.inline },
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
    if (!this.#options.isUsable()) return 'disk-unwell';
    if ((lengthOf(draft) ?? 0) > this.#limitFor(draft)) return 'too-large';
    const { room, classes } = this.#disk;
    return room.pinsFull(wantedBy(draft), classes.of(draft.metadata.key)) === null ? 'too-large' : 'pins-full';
  }

  /** What is being stored is given up. Idempotent. */
  async close(): Promise<void> {
    const abandoned = Promise.all([...this.#writers].map((writer) => writer.abandon(false)));
    await this.#merging.close();
    await abandoned;
  }

  /** How many bytes the body of a response may have. */
  #limitFor({ metadata }: ResponseDraft): number {
    const { maxDocument, limit } = this.#options.bounds();
    return Math.min(maxDocument, Math.floor(limit / 2) - recordSize(metadata, Fields.none));
  }

  #account(draft: ResponseDraft, holding: DiskHolding, base: readonly Segment[], writer: () => DiskWriter) {
    const { files, room, health, system, classes } = this.#disk;
    let isOver = false;
    return {
      reserve: (size: Bytes) => (this.#options.isUsable() ? room.reserve(size, holding) : false),
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
        if (classes.of(draft.metadata.key) !== holding) await this.#disk.health.orElse(room.trimShares(), undefined);
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
    const kept = this.#options.isUsable() ? await this.#disk.health.orElse(records.keep(draft, written), null) : null;
    const { segment } = written;
    const isUnused = segment !== null && !segment.inline && kept?.segments.includes(segment) !== true;
    if (isUnused) await this.#disk.health.orElse(files.delete(segment.id), undefined);
    if (kept !== null) this.#merging.consider(kept);
    return kept;
  }
}

const lengthOf = ({ length, extend }: ResponseDraft): Bytes | null => length ?? extend?.length ?? null;

/** What it will take at least: its record, and as many bytes as it announces. */
const wantedBy = ({ metadata, length, from }: ResponseDraft): Bytes =>
  bytes(recordSize(metadata, Fields.none) + (length === null ? 0 : length - from));

const heldSize = (segments: readonly Segment[]): number =>
  heldBy(segments).reduce((size, { from, to }) => size + to - from, 0);
