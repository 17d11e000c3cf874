import { bytes, type Bytes } from '../../../config/units.js';
import type { Clock } from '../../base/clock.js';
import { WillisError } from '../../base/errors.js';
import type { CacheKey } from '../cache-key.js';
import type { Rebuilt } from './bring-up.js';
import { diskReport, partsOf, type DiskParts, type DiskReport, type ReportOptions } from './disk-report.js';
import { DiskVerification, type Verification } from './disk-verification.js';
import type { OpenDisk } from './open-disk.js';
import { Pacer } from './pacer.js';
import type { Segment } from './segment.js';
import { Upkeep, type UpkeepOptions, type UpkeepProgress, type UpkeepWork } from './upkeep.js';

export interface DiskUpkeepParts {
  readonly disk: OpenDisk;
  readonly clock: Clock;
  readonly directory: string;
  readonly limit: () => Bytes;
  /** Forgets what has bytes in a segment that cannot be read. Gives how many responses that were. */
  readonly forget: (key: CacheKey, segment: Segment, error: unknown) => Promise<number>;
  /** The same for a key whose record cannot be read. */
  readonly forgetRecord: (key: CacheKey) => Promise<number>;
}

export interface VerifyOptions extends UpkeepOptions {
  /** Most bytes to be read in a second. */
  readonly rate: Bytes;
}

/** What was given back to the file system. */
export interface Compaction {
  readonly freed: Bytes;
  /** Body files that were deleted. */
  readonly files: number;
}

/**
 * What an operator may know of a store on disk, and have done for it while it serves: one thing at a time, which every
 * method refuses at once (`@throws WillisError` store-busy, store-unwell). All reject with a WillisError if the disk fails.
 */
export class DiskUpkeep {
  readonly #parts: DiskUpkeepParts;
  readonly #upkeep = new Upkeep();

  constructor(parts: DiskUpkeepParts) {
    this.#parts = parts;
  }

  /** What of the report is at hand. */
  state(): { readonly parts: DiskParts } & Pick<DiskReport, 'partial' | 'deletedFiles'> {
    const { disk } = this.#parts;
    return { parts: partsOf(disk), partial: disk.index.journal.totals.partial, deletedFiles: disk.files.graves };
  }

  report(options: ReportOptions): Promise<DiskReport> {
    const { disk, directory, limit } = this.#parts;
    return diskReport(disk, { directory, limit: limit(), work: this.#upkeep.work }, options).catch(failed);
  }

  /** Reads and checks everything; what is damaged is forgotten. */
  verify(options: VerifyOptions): Promise<Verification> {
    const { disk, clock, forget, forgetRecord } = this.#parts;
    const { index, files, thoroughReader: reader, sweep } = disk;
    const pacer = new Pacer({ rate: options.rate, clock });
    return this.#begin('verify', options, (each) =>
      new DiskVerification({ index, files, reader, sweep, pacer, forget, forgetRecord }, each).run(),
    );
  }

  /** Gives back the room of what was deleted. */
  compact(options: UpkeepOptions): Promise<Compaction> {
    const { disk } = this.#parts;
    return this.#begin('compact', options, async ({ onProgress }) => {
      const tell = (phase: UpkeepProgress['phase']): void =>
        onProgress({ phase, responses: 0, ofResponses: 0, bytes: bytes(0), ofBytes: bytes(0), damaged: 0 });
      const taken = async (): Promise<number> => disk.files.graveBytes + (await disk.indexSize.measured());
      const [before, files] = [await taken(), disk.files.graves];
      tell('files');
      await disk.compact(() => tell('index'));
      return { freed: bytes(Math.max(0, before - (await taken()))), files: files - disk.files.graves };
    });
  }

  /**
   * Makes the index anew from what is sound in it and from the body files; all is validated before its next use. Meanwhile
   * the store is unwell. It cannot be called off: given up, it gives null and goes on, or is ended when the store is closed
   * and done when it is opened again.
   */
  rebuild(options: UpkeepOptions): Promise<Rebuilt | null> {
    const { disk } = this.#parts;
    return this.#begin('rebuild', options, async ({ signal, onProgress }) => {
      const { responses: ofResponses, bytes: ofBytes } = disk.index.journal.totals;
      const tell = (share: number): void =>
        onProgress({
          ...{ phase: share === 0 ? 'index' : 'files', damaged: 0, ofResponses, ofBytes },
          responses: Math.round(ofResponses * share),
          bytes: bytes(Math.round(ofBytes * share)),
        });
      tell(0);
      const rebuilt = disk.rebuild((done, of) => tell(done / of));
      return unlessGivenUp(rebuilt, signal);
    });
  }

  /** Ends what is under way, and lets nothing begin any more. Idempotent. */
  close(): Promise<void> {
    return this.#upkeep.close();
  }

  #begin<T>(work: UpkeepWork, options: UpkeepOptions, task: (options: UpkeepOptions) => Promise<T>): Promise<T> {
    const { health } = this.#parts.disk;
    if (!health.isWell) throw new WillisError('store-unwell', 'the disk is not in use; see the event disk-unwell');
    return this.#upkeep.begin(work, options.signal, (signal) =>
      task({ ...options, signal }).catch((error: unknown) => {
        health.failed(error);
        return failed(error);
      }),
    );
  }
}

/** What work comes to; null once the signal is given. */
async function unlessGivenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  let giveUp = (): void => undefined;
  const givenUp = new Promise<null>((resolve) => {
    giveUp = () => resolve(null);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    signal.removeEventListener('abort', giveUp);
    // who has given up learns of it from the state of the store
    work.catch(() => undefined);
  }
}

function failed(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new WillisError('store-unwell', `the disk fails: ${reason}`, { cause: error });
}
