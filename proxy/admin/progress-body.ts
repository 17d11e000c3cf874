import { setInterval as every } from 'node:timers';
import type { Milliseconds } from '../../config/units.js';
import type { Body } from '../http/body.js';
import { Fields } from '../http/fields.js';

/** What is said of work that goes on: one object a line. `P`: how far it is, `R`: what came of it. */
export type ProgressLine<P, R> =
  | { readonly type: 'begun' }
  /** Null: that cannot be told yet. Comes now and then, so that who listens knows that it goes on. */
  | { readonly type: 'progress'; readonly progress: P | null }
  | { readonly type: 'done'; readonly result: R }
  | { readonly type: 'failed'; readonly detail: string };

export interface Work<P, R> {
  /** Begins it; throws if that may not be. It ends early with the signal. */
  readonly begin: (signal: AbortSignal, onProgress: (progress: P) => void) => Promise<R>;
  /** How often it is told how far it is. */
  readonly every: Milliseconds;
}

/**
 * Content that tells of work while it goes on, as lines of JSON: that it has begun, how far it is, at last what came of it.
 * Whoever gives up reading ends the work. Of what a slow reader did not take yet only the latest is kept.
 */
export class ProgressBody<P, R> implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  readonly #ending = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #progress: P | null = null;
  /** What is to be read next; of two lines about progress only the later. */
  readonly #lines: ProgressLine<P, R>[] = [{ type: 'begun' }];
  #isOver = false;
  #reader: ((chunk: Buffer | null) => void) | null = null;

  /** @throws as `begin` does */
  constructor({ begin, every: period }: Work<P, R>) {
    const done = begin(this.#ending.signal, (progress) => {
      this.#progress = progress;
    });
    this.#timer = every(() => this.#tell({ type: 'progress', progress: this.#progress }), period);
    done.then(
      (result) => this.#end({ type: 'done', result }),
      (error: unknown) => this.#end({ type: 'failed', detail: messageOf(error) }),
    );
  }

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.#lines.length > 0 || this.#isOver) return this.#next();
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  cancel(): void {
    clearInterval(this.#timer);
    this.#isOver = true;
    this.#lines.length = 0;
    this.#ending.abort();
    this.#wake();
  }

  #end(line: ProgressLine<P, R>): void {
    clearInterval(this.#timer);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(line);
  }

  #tell(line: ProgressLine<P, R>): void {
    if (this.#lines.at(-1)?.type === 'progress') this.#lines.pop();
    this.#lines.push(line);
    this.#wake();
  }

  #wake(): void {
    const reader = this.#reader;
    this.#reader = null;
    reader?.(this.#next());
  }

  /** Null if there is none. */
  #next(): Buffer | null {
    const line = this.#lines.shift();
    return line === undefined ? null : Buffer.from(`${JSON.stringify(line)}\n`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
