import { close, open, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

export interface LineWriterOptions {
  /** A file to append to, or an open descriptor, which stays the caller's. */
  readonly to: string | number;
  /** Told once when writing begins to fail or to lose lines; again only after it has worked in between. */
  readonly onFailure: (error: Error) => void;
  readonly flushAfter?: Milliseconds;
  /** Lines beyond this much unwritten text are dropped. */
  readonly bound?: Bytes;
}

const flushSize = bytes(64 * 1024);
const turnLength = milliseconds(20);
const turnsAfterClose = 100;

/**
 * Appends lines to a file, gathered into few writes. `write` never blocks and never throws: while the destination fails
 * the lines wait up to the bound, each later flush tries again (opening anew), and what does not fit is dropped.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #bound: Bytes;
  #fd: number | null;
  #lines: string[] = [];
  #waiting = 0;
  /** Taken out of `#lines`, not yet written. */
  #rest: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  #failing = false;
  #dropping = false;
  #closed = false;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#bound = options.bound ?? bytes(4 * 1024 * 1024);
    this.#fd = typeof options.to === 'number' ? options.to : null;
  }

  /** Adds a line, given without its line feed. */
  write(line: string): void {
    if (this.#closed) return;
    if (this.#waiting + this.#rest.length + line.length >= this.#bound) {
      this.#drop();
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    if (this.#waiting >= flushSize && !this.#failing) void this.#flush();
    else this.#flushLater();
  }

  /** Writes what is left, if the destination lets it. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#flush();
    await this.#flush();
    await this.#closeFile();
  }

  #drop(): void {
    // A destination that fails has been reported; one that is only slow has not.
    if (!this.#dropping && !this.#failing) this.#options.onFailure(new Error('too slow; lines are dropped'));
    this.#dropping = true;
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
      this.#fd ??= typeof this.#options.to === 'string' ? await openFile(this.#options.to, 'a') : null;
      if (this.#fd === null) return;
      while (this.#takeRest()) {
        this.#rest = this.#rest.subarray(await this.#writeSome(this.#fd));
        this.#failing = false;
      }
    } catch (error) {
      await this.#failed(error as Error);
    }
  }

  #takeRest(): boolean {
    if (this.#rest.length === 0 && this.#lines.length > 0) {
      this.#rest = Buffer.from(`${this.#lines.join('\n')}\n`);
      this.#lines = [];
      this.#waiting = 0;
      this.#dropping = false;
    }
    return this.#rest.length > 0;
  }

  /** Waits while a pipe is full; after `close` only so long. */
  async #writeSome(fd: number): Promise<Bytes> {
    for (let turns = 0; ; turns++) {
      try {
        return bytes((await writeFile(fd, this.#rest)).bytesWritten);
      } catch (error) {
        const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
        if (!isFull || (this.#closed && turns >= turnsAfterClose)) throw error;
        await sleep(turnLength);
      }
    }
  }

  async #failed(error: Error): Promise<void> {
    if (!this.#failing) this.#options.onFailure(error);
    this.#failing = true;
    await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    if (this.#fd === null || typeof this.#options.to === 'number') return;
    const fd = this.#fd;
    this.#fd = null;
    await closeFile(fd).catch(() => undefined);
  }
}
