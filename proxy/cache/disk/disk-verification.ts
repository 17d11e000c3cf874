import { bytes, type Bytes } from '../../../config/units.js';
import { uriOfKey, type CacheKey } from '../cache-key.js';
import { isLost } from './disk-fault.js';
import type { DiskIndex } from './disk-index.js';
import { recountInUse, type Correction } from './disk-recount.js';
import { LoadedSegments, type DiskResponse } from './disk-response.js';
import type { DiskSweep } from './disk-sweep.js';
import { allRecords, keyOfRecord } from './index-keys.js';
import type { Pacer } from './pacer.js';
import type { SegmentFiles } from './segment-files.js';
import { checkFrame } from './segment-frame.js';
import type { SegmentReader } from './segment-reader.js';
import { endOf, type Segment } from './segment.js';
import type { UpkeepOptions, UpkeepProgress } from './upkeep.js';

/** What became of reading and checking everything. */
export interface Verification {
  /** Whether it came to its end. */
  readonly isWhole: boolean;
  /** Stored responses that were read, and how many bytes of content that was. */
  readonly responses: number;
  readonly bytes: Bytes;
  /** Those of them that could not be read, or were not what was stored, and are forgotten; records that could not be read. */
  readonly damaged: number;
  /** What these were, the first of them. */
  readonly lost: readonly LostResponse[];
  /** Body files that nothing referred to, and are deleted. */
  readonly strayFiles: number;
  readonly strayBytes: Bytes;
  /** By how much the index had counted wrong. */
  readonly corrected: Correction;
}

/** Whether nothing was wrong with what is stored. */
export const isSound = ({ damaged, corrected }: Pick<Verification, 'damaged' | 'corrected'>): boolean =>
  damaged === 0 && corrected.responses === 0 && corrected.bytes === 0;

export interface LostResponse {
  readonly uri: string;
  /** What was found, for people. */
  readonly fault: string;
}

export interface VerificationParts {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly reader: SegmentReader;
  readonly sweep: DiskSweep;
  readonly pacer: Pacer;
  /** A segment of a response could not be read: forgets it. Gives how many responses that were. */
  readonly forget: (key: CacheKey, segment: Segment, error: unknown) => Promise<number>;
  /** A record could not be read: the same. */
  readonly forgetRecord: (key: CacheKey) => Promise<number>;
}

const mostListed = 1000;
const recordsAtOnce = 64;
/** What a look at a record or a file takes, as bytes that are read and checked in that time. */
const perLook = bytes(16 * 1024);

/**
 * Checks all that is stored, one after the other, behind other work:
 *
 * 1. what the index has counted, against its records;
 * 2. every record, and every byte of every response with what its file says of itself; what is damaged is forgotten;
 * 3. whether every body file belongs to a response.
 *
 * Rejects if the disk fails.
 */
export class DiskVerification {
  readonly #parts: VerificationParts;
  readonly #options: UpkeepOptions;
  readonly #lost: LostResponse[] = [];
  #phase: UpkeepProgress['phase'] = 'index';
  #corrected: Correction = { responses: 0, bytes: bytes(0) };
  #responses = 0;
  #counted = 0;
  #read = 0;
  #damaged = 0;
  #strayFiles = 0;
  #strayBytes = 0;

  constructor(parts: VerificationParts, options: UpkeepOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<Verification> {
    this.#report();
    const { index, pacer } = this.#parts;
    this.#corrected = (await recountInUse(index, pacer, this.#options.signal)) ?? this.#corrected;
    await this.#checkResponses();
    await this.#checkFiles();
    return {
      isWhole: !this.#isOver,
      responses: this.#responses,
      bytes: bytes(this.#read),
      damaged: this.#damaged,
      lost: this.#lost,
      strayFiles: this.#strayFiles,
      strayBytes: bytes(this.#strayBytes),
      corrected: this.#corrected,
    };
  }

  get #isOver(): boolean {
    return this.#options.signal.aborted;
  }

  async #checkResponses(): Promise<void> {
    this.#phase = 'responses';
    this.#report();
    for (let from = allRecords.from; ;) {
      const slice = await this.#slice(from);
      for (const [found, value] of slice) {
        if (this.#isOver) return;
        await this.#checkRecord(keyOfRecord(found), value);
      }
      const last = slice.at(-1);
      if (last === undefined) return;
      from = `${last[0]}\0`;
    }
  }

  /** In slices, for a walk through all of it would keep the index from giving up what is deleted meanwhile. */
  async #slice(from: string): Promise<(readonly [string, Buffer])[]> {
    const slice: (readonly [string, Buffer])[] = [];
    for await (const one of this.#parts.index.entries({ ...allRecords, from, most: recordsAtOnce })) slice.push(one);
    return slice;
  }

  async #checkRecord(key: CacheKey, value: Buffer): Promise<void> {
    const record = this.#parts.index.decode(key, value);
    await this.#parts.pacer.passed(perLook, this.#options.signal);
    if (record === null) {
      this.#lose(key, await this.#parts.forgetRecord(key), 'its record is not what was stored');
      return;
    }
    for (const response of record.responses) {
      const before = this.#counted;
      if (!(await this.#checkResponse(response))) return;
      this.#responses++;
      this.#counted = before + response.size;
      this.#report();
    }
  }

  /** False if that was given up. */
  async #checkResponse(response: DiskResponse): Promise<boolean> {
    const { files, forget } = this.#parts;
    files.hold(response.segments);
    try {
      for (const segment of response.segments) {
        try {
          if (!(await this.#checkSegment(segment))) return false;
        } catch (error) {
          if (!isLost(error)) throw error;
          // none, if it was replaced since the walk began
          const lost = await forget(response.key, segment, error);
          this.#lose(response.key, lost, error instanceof Error ? error.message : String(error));
          break;
        }
      }
      return true;
    } finally {
      files.release(response.segments);
    }
  }

  async #checkSegment(segment: Segment): Promise<boolean> {
    const { reader, files, pacer } = this.#parts;
    const loaded = new LoadedSegments();
    if (!segment.inline) {
      await checkFrame(segment, files);
      await pacer.passed(perLook, this.#options.signal);
    }
    for (let at: number = segment.from; at < endOf(segment);) {
      if (this.#isOver) return false;
      const block = await reader.blockAt(segment, at, loaded);
      at = block.at + block.data.length;
      this.#read += block.data.length;
      this.#counted += block.data.length;
      this.#report();
      await pacer.passed(bytes(block.data.length), this.#options.signal);
    }
    return true;
  }

  /** Those of this process, and those that are to be deleted, are known anyway. */
  async #checkFiles(): Promise<void> {
    this.#phase = 'files';
    const { sweep, pacer } = this.#parts;
    for await (const id of sweep.unknown()) {
      if (this.#isOver) return;
      this.#report();
      const freed = await sweep.consider(id);
      if (freed !== null) {
        this.#strayFiles++;
        this.#strayBytes += freed;
      }
      await pacer.passed(perLook, this.#options.signal);
    }
  }

  #lose(key: CacheKey, count: number, fault: string): void {
    if (count === 0) return;
    this.#damaged += count;
    if (this.#lost.length < mostListed) this.#lost.push({ uri: uriOfKey(key), fault });
  }

  #report(): void {
    const { responses, bytes: stored } = this.#parts.index.journal.totals;
    this.#options.onProgress({
      phase: this.#phase,
      responses: this.#responses,
      ofResponses: Math.max(responses, this.#responses),
      bytes: bytes(this.#counted),
      ofBytes: bytes(Math.max(stored, this.#counted)),
      damaged: this.#damaged,
    });
  }
}
