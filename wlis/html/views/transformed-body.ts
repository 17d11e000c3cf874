import type { Transform } from 'node:stream';
import { milliseconds, type Bytes } from '../../../config/units.js';
import type { WillisError } from '../../../proxy/base/errors.js';
import type { Body } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';

export interface TransformedBodyOptions {
  /** What it breaks with if the stream does not take what comes. */
  readonly failure: (cause: Error) => WillisError;
  /** Makes the stream give all that it has taken in; called when the source keeps it waiting for more. */
  readonly flush?: (() => void) | undefined;
}

/**
 * A body on its way through a stream of `node:zlib`. Nothing is read ahead: a chunk is taken from the source when nothing is left
 * of those before it; without `flush` no read of the source is under way between two reads of this. What comes behind the end of
 * what the stream takes is read, so that the source is whole for others, unless it is long. It owns source and stream.
 */
export class TransformedBody implements Body {
  readonly length: Bytes | null = null;
  readonly trailers = Fields.none;
  readonly #source: Body;
  readonly #stream: Transform;
  readonly #options: TransformedBodyOptions;
  /** What goes on at the moment. */
  #isReading = false;
  #isWriting = false;
  /** All of the source is taken in. */
  #isLast = false;
  #isOver = false;
  /** How much came behind what the stream takes; null as long as it takes something. */
  #surplus: number | null = null;
  #error: Error | null = null;
  #stall: NodeJS.Timeout | null = null;
  /** Whether something has happened that nobody has waited for. */
  #isSignalled = false;
  #wake: (() => void) | null = null;

  constructor(source: Body, stream: Transform, options: TransformedBodyOptions) {
    this.#source = source;
    this.#stream = stream;
    this.#options = options;
    stream.on('readable', this.#signal).on('end', this.#onEnd).on('error', this.#onError);
  }

  async read(): Promise<Buffer | null> {
    for (;;) {
      if (this.#error !== null) throw this.#error;
      if (this.#isOver) return null;
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (!this.#isReading && !this.#isWriting && !this.#isLast) this.#feed();
      await this.#happening();
    }
  }

  cancel(reason?: Error): void {
    if (this.#isOver) return;
    this.#source.cancel(reason);
    this.#end();
  }

  #feed(): void {
    let read: Buffer | null | Promise<Buffer | null>;
    try {
      read = this.#source.read();
    } catch (error) {
      this.#break(error as Error);
      return;
    }
    if (!(read instanceof Promise)) {
      this.#take(read);
      return;
    }
    this.#isReading = true;
    const { flush } = this.#options;
    if (flush !== undefined) this.#stall = setTimeout(flush, stalledAfter).unref();
    read.then(
      (chunk) => this.#arrived(() => this.#take(chunk)),
      (error: unknown) => this.#arrived(() => this.#break(error as Error)),
    );
  }

  #arrived(take: () => void): void {
    this.#isReading = false;
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#stall = null;
    if (!this.#isOver) take();
  }

  #take(chunk: Buffer | null): void {
    if (this.#surplus !== null) {
      this.#passOver(chunk);
      return;
    }
    if (chunk === null) {
      this.#isLast = true;
      this.#stream.end();
      return;
    }
    this.#isWriting = true;
    this.#stream.write(chunk, () => {
      this.#isWriting = false;
      this.#signal();
    });
  }

  /** What comes behind the end of a coding is nothing to anybody. */
  #passOver(chunk: Buffer | null): void {
    this.#surplus = (this.#surplus ?? 0) + (chunk?.length ?? 0);
    if (chunk !== null && this.#surplus <= mostSurplus) {
      this.#signal();
      return;
    }
    if (chunk !== null) this.#source.cancel();
    this.#end();
  }

  #happening(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#isSignalled) this.#signal();
    });
  }

  readonly #signal = (): void => {
    const wake = this.#wake;
    this.#wake = null;
    this.#isSignalled = wake === null;
    wake?.();
  };

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    if (this.#isLast) {
      this.#end();
      return;
    }
    this.#surplus = 0;
    // it never says that it is done with the chunk that it ended in
    this.#isWriting = false;
    this.#signal();
  };

  readonly #onError = (cause: Error): void => {
    if (this.#isOver) return;
    const error = this.#options.failure(cause);
    this.#source.cancel(error);
    this.#break(error);
  };

  #break(error: Error): void {
    this.#error = error;
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#stream.destroy();
    this.#signal();
  }
}

/** Long enough that what comes bit by bit is not coded bit by bit. */
const stalledAfter = milliseconds(100);
/** More than checksums and what is put behind pages by mistake. */
const mostSurplus = 64 * 1024;
