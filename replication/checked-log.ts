import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytes, type Bytes } from '../config/units.js';
import { syncDirectory } from './large-blobs.js';
import { chainIn, encodeFrame } from './log-frames.js';
import { encodeMark, idSize, readMark, type LogPlace } from './log-mark.js';
import { readLog } from './log-reading.js';
import { writeAll, writeLog } from './log-writing.js';

export interface LogOptions {
  readonly path: string;
  /** The sort of log and the version of its format; a log of another kind is taken for damaged. */
  readonly kind: string;
  /** Whether what was appended outlives a loss of power. Otherwise it outlives the process only. */
  readonly durable: boolean;
}

/**
 * `new`: there was none. `whole`: all of it was read. `torn`: its end was not whole, which had not been acknowledged, and was cut
 * off. `damaged`: what had been acknowledged is not all there.
 */
export type LogState =
  | { readonly state: 'new' | 'whole' }
  | { readonly state: 'torn'; readonly cut: Bytes }
  | { readonly state: 'damaged'; readonly reason: string };

/**
 * A file to which records are appended, in groups that are there whole or not at all. What `append` has acknowledged is read
 * again when it is opened, or the log says that it is damaged: beside the file lies a mark, `<path>.mark`, of how far it was
 * acknowledged. Appends that wait for the disk become durable together.
 */
export class CheckedLog {
  readonly #options: LogOptions;
  #file: FileHandle;
  #mark: FileHandle;
  #id: Buffer;
  #end: Bytes;
  #chain: Buffer;
  /** The file may have something behind the end. */
  #isUntidy = false;
  /** Its name is durable. */
  #isNamed = true;
  /** Appends that are written together, as long as nothing else came behind them. */
  #gathering: Waiting[] | null = null;
  #work: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(options: LogOptions, file: FileHandle, mark: FileHandle, at: LogPlace) {
    this.#options = options;
    this.#file = file;
    this.#mark = mark;
    this.#id = at.id;
    this.#end = at.end;
    this.#chain = at.chain;
  }

  /**
   * Opens a log and gives what is in it. One that is damaged is not opened: `begin` begins it anew.
   * @throws Error what the system says
   */
  static async open(
    options: LogOptions,
    onPayload: (payload: Buffer) => void,
  ): Promise<{ readonly log: CheckedLog | null; readonly found: LogState }> {
    const mark = await readMark(options.path);
    const file = await openIfThere(options.path);
    if (file === null) {
      const found: LogState =
        mark === null
          ? { state: 'new' }
          : { state: 'damaged', reason: `${options.path} is gone; its mark is still there` };
      return { log: null, found };
    }
    try {
      return await opened(options, file, mark, onPayload);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Begins a log with these records, in place of what may be there, in one step. */
  static async begin(options: LogOptions, payloads: Iterable<Buffer> = []): Promise<CheckedLog> {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 });
    const { file, at } = await writeLog(options.path, options.kind, payloads);
    const mark = await open(`${options.path}.mark`, 'w+', 0o600);
    const log = new CheckedLog(options, file, mark, at);
    log.#isNamed = false;
    await log.#makeNamed();
    await log.#writeMark();
    return log;
  }

  /** @internal for `opened` */
  static async resume(options: LogOptions, file: FileHandle, at: LogPlace): Promise<CheckedLog> {
    const mark = await open(`${options.path}.mark`, 'w+', 0o600);
    const log = new CheckedLog(options, file, mark, at);
    await log.#writeMark();
    return log;
  }

  get size(): Bytes {
    return this.#end;
  }

  /**
   * Appends records that belong together. Fulfilled when they cannot be lost; when it rejects they are not there, and what is
   * appended later is none the worse for it.
   */
  append(payloads: readonly Buffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = { payloads, resolve, reject };
      if (this.#gathering !== null) {
        this.#gathering.push(waiting);
        return;
      }
      const gathered = [waiting];
      this.#gathering = gathered;
      void this.#next(() => this.#writeTogether(gathered));
    });
  }

  /** Puts these records in the place of all before, in one step, behind the appends that wait. */
  rewrite(payloads: Iterable<Buffer>): Promise<void> {
    this.#gathering = null;
    return this.#next(async () => {
      if (this.#closed) throw new Error('the log is closed');
      const { file, at } = await writeLog(this.#options.path, this.#options.kind, payloads);
      await this.#file.close();
      this.#file = file;
      [this.#id, this.#end, this.#chain, this.#isUntidy] = [at.id, at.end, at.chain, false];
      this.#isNamed = false;
      await this.#makeNamed();
      await this.#writeMark();
    });
  }

  /** Waits for what was begun. Idempotent. */
  async close(): Promise<void> {
    await this.#next(async () => {
      if (this.#closed) return;
      this.#closed = true;
      await this.#file.close();
      await this.#mark.close();
    });
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #writeTogether(waiting: readonly Waiting[]): Promise<void> {
    if (this.#gathering === waiting) this.#gathering = null;
    try {
      if (this.#closed) throw new Error('the log is closed');
      await this.#write(waiting);
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error as Error);
    }
  }

  async #write(waiting: readonly Waiting[]): Promise<void> {
    if (this.#isUntidy) await this.#tidy();
    if (!this.#isNamed) await this.#makeNamed();
    const frames: Buffer[] = [];
    let chain = this.#chain;
    for (const { payloads } of waiting) {
      for (const [index, payload] of payloads.entries()) {
        const frame = encodeFrame(chain, { payload, continues: index + 1 < payloads.length });
        chain = chainIn(frame);
        frames.push(frame);
      }
    }
    this.#isUntidy = true;
    const end = await writeAll(this.#file, frames, this.#end);
    if (this.#options.durable) await this.#file.datasync();
    this.#isUntidy = false;
    [this.#end, this.#chain] = [end, Buffer.from(chain)];
    await this.#writeMark();
  }

  /** Takes away what an append that failed may have left, before anything is written in its place. */
  async #tidy(): Promise<void> {
    await this.#file.truncate(this.#end);
    await this.#file.sync();
    this.#isUntidy = false;
  }

  async #makeNamed(): Promise<void> {
    await syncDirectory(dirname(this.#options.path));
    this.#isNamed = true;
  }

  /** Not forced to disk: a mark that is behind says less, but nothing wrong. */
  async #writeMark(): Promise<void> {
    const mark = encodeMark({ id: this.#id, end: bytes(this.#end), chain: this.#chain });
    try {
      await writeAll(this.#mark, [mark], bytes(0));
    } catch {
      // as above
    }
  }
}

interface Waiting {
  readonly payloads: readonly Buffer[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

async function opened(
  options: LogOptions,
  file: FileHandle,
  mark: LogPlace | null,
  onPayload: (payload: Buffer) => void,
): Promise<{ readonly log: CheckedLog | null; readonly found: LogState }> {
  // the first record is the name of the file, so that a mark is never taken for that of another
  let id: Buffer | null = null;
  const reading = await readLog(file, options.kind, mark?.end ?? null, (payload) => {
    if (id === null) id = Buffer.from(payload);
    else onPayload(payload);
  });
  const name = id as Buffer | null;
  const fault = name?.length !== idSize ? 'its beginning cannot be read' : faultOf(reading, mark, name);
  if (name === null || fault !== null) {
    await file.close();
    return { log: null, found: { state: 'damaged', reason: `${options.path}: ${fault ?? ''}` } };
  }
  if (reading.excess > 0) {
    await file.truncate(reading.end);
    await file.sync();
  }
  const log = await CheckedLog.resume(options, file, { id: name, end: reading.end, chain: reading.chain });
  return { log, found: reading.excess > 0 ? { state: 'torn', cut: reading.excess } : { state: 'whole' } };
}

function faultOf(
  { end, chainAtMark }: { readonly end: Bytes; readonly chainAtMark: Buffer | null },
  mark: LogPlace | null,
  id: Buffer,
): string | null {
  if (mark?.id.equals(id) !== true) return null;
  if (mark.end > end) return `only ${end} of ${mark.end} acknowledged bytes can be read`;
  return chainAtMark?.equals(mark.chain) === true ? null : `it is not what was acknowledged up to byte ${mark.end}`;
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
