import { close, open, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

/** What is to be known of lines that cannot be written. */
export interface LineReports {
  /** Lines cannot be written, or not as fast as they come. Called once, until `recovered`. */
  failing(error: Error): void;
  /** Every line that had to wait is written; since `failing`, that many were dropped. */
  recovered(dropped: number): void;
  /** Closed instead of that. */
  abandoned(dropped: number): void;
  /** As many lines will never be written. */
  dropped(lines: number): void;
}

export interface LineWriterOptions {
  /** A file to append to, or an open descriptor, which stays the caller's. */
  readonly to: string | number;
  readonly reports: LineReports;
  readonly flushAfter?: Milliseconds;
  /** Lines beyond this much unwritten text are dropped. */
  readonly bound?: Bytes;
}

const flushSize = bytes(64 * 1024);
const turnLength = milliseconds(20);
const turnsAfterClose = 100;
const LINE_FEED = 0x0a;

/**
 * Appends lines to a file, gathered into few writes. `write` never blocks and never throws: while the destination fails
 * the lines wait up to the bound, it is tried again and again (opened anew), and what does not fit is dropped.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #bound: Bytes;
  #fd: number | null;
  /** Opened to take the place of `#fd`. */
  #next: number | null = null;
  #lines: string[] = [];
  #waiting = 0;
  /** Taken out of `#lines`; its first `#written` bytes are in the file. */
  #batch: Buffer = Buffer.alloc(0);
  #written = 0;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  /** Lines dropped since writing began to fail; null while all is well. */
  #dropped: number | null = null;
  #failing = false;
  #closed = false;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#bound = options.bound ?? bytes(4 * 1024 * 1024);
    this.#fd = typeof options.to === 'number' ? options.to : null;
  }

  /** Adds a line, given without its line feed. */
  write(line: string): void {
    if (this.#closed) return;
    if (this.#waiting + this.#batch.length - this.#written + line.length >= this.#bound) {
      this.#drop(1, new Error('too slow; lines are dropped'));
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    if (this.#waiting >= flushSize && !this.#failing) void this.#flush();
    else this.#flushLater();
  }

  /**
   * Opens the file anew, which may have been renamed: each line stands whole in the old file or in the new one.
   * @throws Error if it cannot be opened; the old one stays in use
   */
  async reopen(): Promise<void> {
    if (typeof this.#options.to === 'number') return;
    const fd = await openFile(this.#options.to, 'a');
    if (this.#closed) {
      await closeFile(fd).catch(ignore);
      return;
    }
    const superseded = this.#next;
    this.#next = fd;
    if (superseded !== null) await closeFile(superseded).catch(ignore);
    await this.#flush();
    if (this.#next === fd) await this.#flush();
  }

  /** Writes what is left, if the destination lets it. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#flush();
    await this.#flush();
    const left = this.#lines.length + linesIn(this.#batch, this.#written);
    this.#lines = [];
    this.#batch = Buffer.alloc(0);
    if (left > 0) this.#drop(left, new Error('closed before all was written'));
    if (this.#dropped !== null) this.#options.reports.abandoned(this.#dropped);
    this.#dropped = null;
    await this.#closeFile();
  }

  #drop(lines: number, reason: Error): void {
    this.#options.reports.dropped(lines);
    this.#begin(reason);
    this.#dropped = (this.#dropped ?? 0) + lines;
  }

  /** Trouble begins, unless there is some already. */
  #begin(reason: Error): void {
    if (this.#dropped !== null) return;
    this.#dropped = 0;
    this.#options.reports.failing(reason);
  }

  #end(): void {
    const dropped = this.#dropped;
    this.#dropped = null;
    if (dropped !== null) this.#options.reports.recovered(dropped);
  }

  #flushLater(): void {
    if (this.#timer !== null) return;
    const run = (): void => {
      this.#timer = null;
      void this.#flush();
    };
    this.#timer = setTimeout(run, this.#options.flushAfter ?? milliseconds(200)).unref();
  }

  #flush(): Promise<void> {
    this.#flushing ??= this.#writeOut().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #writeOut(): Promise<void> {
    try {
      do {
        if (this.#next !== null) await this.#change(this.#next);
        if (!this.#takeBatch()) break;
        this.#fd ??= await openFile(this.#options.to as string, 'a');
        await this.#writeBatch(this.#fd);
      } while (this.#lines.length > 0 || this.#next !== null);
      this.#end();
    } catch (error) {
      this.#failing = true;
      this.#begin(error as Error);
      await this.#closeFile();
      if (!this.#closed) this.#flushLater();
    }
  }

  /** A line of which a part stands in the old file is written to the new one from its beginning. */
  async #change(next: number): Promise<void> {
    const before = this.#fd;
    this.#next = null;
    this.#fd = next;
    this.#written = this.#batch.subarray(0, this.#written).lastIndexOf(LINE_FEED) + 1;
    if (before !== null) await closeFile(before).catch(ignore);
  }

  /** @returns whether there is anything to write */
  #takeBatch(): boolean {
    if (this.#written === this.#batch.length && this.#lines.length > 0) {
      this.#batch = Buffer.from(`${this.#lines.join('\n')}\n`);
      this.#written = 0;
      this.#lines = [];
      this.#waiting = 0;
    }
    return this.#written < this.#batch.length;
  }

  async #writeBatch(fd: number): Promise<void> {
    while (this.#written < this.#batch.length) {
      this.#written += await this.#writeSome(fd);
      this.#failing = false;
    }
  }

  /** Waits while a pipe is full; after `close` only so long. */
  async #writeSome(fd: number): Promise<Bytes> {
    for (let turns = 0; ; turns++) {
      try {
        return bytes((await writeFile(fd, this.#batch, this.#written)).bytesWritten);
      } catch (error) {
        const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
        if (!isFull || (this.#closed && turns >= turnsAfterClose)) throw error;
        await sleep(turnLength);
      }
    }
  }

  async #closeFile(): Promise<void> {
    if (this.#fd === null || typeof this.#options.to === 'number') return;
    const fd = this.#fd;
    this.#fd = null;
    await closeFile(fd).catch(ignore);
  }
}

const ignore = (): void => undefined;

/** Line feeds from a position on: lines that are not in the file, or not as a whole. */
function linesIn(batch: Buffer, from: number): number {
  let count = 0;
  for (let at = batch.indexOf(LINE_FEED, from); at >= 0; at = batch.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
