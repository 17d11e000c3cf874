import { bytes, type Bytes } from '../../../config/units.js';
import { Fields } from '../../http/fields.js';
import type { CacheKey } from '../cache-key.js';
import type { DiskClasses } from './disk-classes.js';
import type { DiskRecords } from './disk-records.js';
import { LoadedSegments, type DiskResponse } from './disk-response.js';
import type { DiskRoom } from './disk-room.js';
import { DiskWriter, type Written } from './disk-writer.js';
import { fileDescription } from './key-record.js';
import type { SegmentFiles } from './segment-files.js';
import { runToMerge, type SegmentRun } from './segment-merge.js';
import type { Block, SegmentReader } from './segment-reader.js';
import { SegmentWriter } from './segment-writer.js';
import type { FileSystem } from './file-system.js';
import { segmentAt, type Segment } from './segment.js';

export interface MergingParts {
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly reader: SegmentReader;
  readonly records: DiskRecords;
  readonly room: DiskRoom;
  readonly classes: DiskClasses;
  readonly newName: () => string;
  readonly run: string;
  /** Up to how many bytes go into the index. */
  readonly inline: Bytes;
  /** What a merge may take for as long as it goes on. */
  readonly most: () => Bytes;
  /** As in `WritingParts`. */
  readonly onFull: () => Promise<boolean>;
  /** A segment could not be read: what has bytes in it is forgotten, if it is lost. */
  readonly onUnread: (key: CacheKey, segment: Segment, error: unknown) => Promise<unknown>;
  /** The disk could not be written to. */
  readonly onFailed: (error: unknown) => void;
}

/** So many responses wait; what comes when there are more is merged when another piece is added to it. */
const mostWaiting = 256;

/**
 * Makes segments of a response one behind the work of a store, one response after the other and a block at a time: what is
 * copied is checked, and takes the place of its pieces when it is whole.
 */
export class DiskMerging {
  readonly #parts: MergingParts;
  readonly #waiting = new Map<string, DiskResponse>();
  #merging: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: MergingParts) {
    this.#parts = parts;
  }

  /** Something was added to a response. */
  consider(response: DiskResponse): void {
    if (this.#isClosed || this.#waiting.size >= mostWaiting) return;
    if (runToMerge(response.segments, response.complete) === null) return;
    this.#waiting.set(response.id, response);
    this.#merging ??= this.#mergeAll().finally(() => (this.#merging = null));
  }

  /** Fulfilled when nothing is left to merge. */
  async settled(): Promise<void> {
    while (this.#merging !== null) await this.#merging;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await this.settled();
  }

  async #mergeAll(): Promise<void> {
    for (const [id, first] of this.#waiting) {
      this.#waiting.delete(id);
      let response: DiskResponse | null = first;
      while (response !== null && !this.#isClosed) {
        const run = runToMerge(response.segments, response.complete);
        response = run === null || run.to - run.from > this.#parts.most() ? null : await this.#merge(response, run);
      }
    }
  }

  /** Gives the response as it is then; null if it is another one meanwhile, or was not merged. */
  async #merge(response: DiskResponse, run: SegmentRun): Promise<DiskResponse | null> {
    const { files, onFailed } = this.#parts;
    let merged: DiskResponse | null = null;
    const keep = async (written: Written): Promise<DiskResponse | null> => {
      merged = await this.#keep(response.key, run, written);
      return merged;
    };
    const writer = this.#writer(response, run, keep);
    files.hold(run.segments);
    try {
      const isCopied = await this.#copy(response.key, run, writer);
      const isEnd = response.complete && run.to === response.length;
      if (isCopied && isEnd) await writer.commit(Fields.none);
      else await writer.abandon(isCopied);
    } catch (error) {
      onFailed(error);
      await writer.abandon(false);
    } finally {
      files.release(run.segments);
    }
    return merged;
  }

  async #copy(key: CacheKey, { segments, from, to }: SegmentRun, writer: DiskWriter): Promise<boolean> {
    for (let at: number = from; at < to;) {
      const segment = segmentAt(segments, at);
      const block = segment === null ? null : await this.#read(key, segment, at);
      if (block === null) return false;
      const chunk = block.data.subarray(at - block.at);
      if (this.#isClosed || !(await writer.append(chunk))) return false;
      at += chunk.length;
    }
    return true;
  }

  async #read(key: CacheKey, segment: Segment, at: number): Promise<Block | null> {
    try {
      return await this.#parts.reader.blockAt(segment, at, new LoadedSegments());
    } catch (error) {
      await this.#parts.onUnread(key, segment, error);
      return null;
    }
  }

  async #keep(key: CacheKey, { segments }: SegmentRun, written: Written): Promise<DiskResponse | null> {
    const { records, files, onFailed } = this.#parts;
    try {
      const merged = await records.merge(key, segments, written);
      if (merged === null && written.segment?.inline === false) await files.delete(written.segment.id);
      return merged;
    } catch (error) {
      onFailed(error);
      return null;
    }
  }

  #writer(
    response: DiskResponse,
    run: SegmentRun,
    keep: (written: Written) => Promise<DiskResponse | null>,
  ): DiskWriter {
    const { files, system, room, classes, newName, inline, onFull, onFailed } = this.#parts;
    const holding = classes.of(response.key);
    return new DiskWriter(
      {
        reserve: (size) => room.reserve(size, holding, false),
        release: (size) => room.release(size, holding),
        newName,
        openSegment: (id, from, blockSize, expected) => {
          const described = fileDescription(response, response.generation, response.length, this.#parts.run);
          return new SegmentWriter({ files, system, onFull }, { id, from, blockSize, expected, response: described });
        },
        keep,
        failed: onFailed,
        over: () => undefined,
      },
      { from: run.from, length: run.to, headSize: response.headSize, limit: bytes(run.to - run.from), inline },
    );
  }
}
