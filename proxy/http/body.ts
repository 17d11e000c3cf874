import { bytes, type Bytes } from '../../config/units.js';
import { Fields } from './fields.js';

/**
 * The content of a message, pulled by its one reader. A chunk that is at hand is returned at once, so that a stored
 * body is sent in one turn; otherwise a promise. There is at most one `read` under way.
 *
 * Ownership: who holds a `Body` reads it to its end, to its error, or cancels it; nothing else releases its source.
 */
export interface Body {
  /** Length in bytes of all that `read` will give, or null while only the end will tell. */
  readonly length: Bytes | null;
  /** The next chunk, never empty; null at the end. @throws (or rejects with) WillisError when the source broke */
  read(): Buffer | null | Promise<Buffer | null>;
  /** The reader gives up. Idempotent; later reads are an error of the reader. */
  cancel(reason?: Error): void;
  /** Trailer fields (RFC 9110 §6.5), known once `read` has returned null. */
  readonly trailers: Fields;
}

/** A body that is already in memory, in one or several chunks, none of them copied. */
export class BufferedBody implements Body {
  readonly length: Bytes;
  readonly trailers: Fields;
  readonly #chunks: readonly Buffer[];
  #next = 0;

  constructor(chunks: readonly Buffer[], trailers: Fields = Fields.none) {
    this.#chunks = chunks;
    this.trailers = trailers;
    let total = 0;
    for (const chunk of chunks) total += chunk.length;
    this.length = bytes(total);
  }

  static from(content: string | Buffer): BufferedBody {
    return new BufferedBody([typeof content === 'string' ? Buffer.from(content) : content]);
  }

  read(): Buffer | null {
    while (this.#next < this.#chunks.length) {
      const chunk = this.#chunks[this.#next++] as Buffer;
      if (chunk.length > 0) return chunk;
    }
    return null;
  }

  cancel(): void {
    this.#next = this.#chunks.length;
  }
}

/** Several bodies, one after the other; the trailers are those of the last. */
export class ConcatenatedBody implements Body {
  readonly length: Bytes | null;
  readonly #parts: Body[];

  constructor(parts: readonly Body[]) {
    this.#parts = [...parts];
    let total = 0;
    let known = true;
    for (const part of parts) {
      if (part.length === null) known = false;
      else total += part.length;
    }
    this.length = known ? bytes(total) : null;
  }

  get trailers(): Fields {
    return this.#parts.at(-1)?.trailers ?? Fields.none;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const part = this.#parts[0];
    if (part === undefined) return null;
    const chunk = part.read();
    return chunk instanceof Promise ? chunk.then((c) => this.#pass(c)) : this.#pass(chunk);
  }

  cancel(reason?: Error): void {
    for (const part of this.#parts) part.cancel(reason);
  }

  #pass(chunk: Buffer | null): Buffer | null | Promise<Buffer | null> {
    if (chunk !== null || this.#parts.length <= 1) return chunk;
    this.#parts.shift();
    return this.read();
  }
}

/** Reads a body to its end. @throws RangeError beyond `limit`, after cancelling it */
export async function readAll(body: Body, limit: Bytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
    total += chunk.length;
    if (total > limit) {
      const error = new RangeError(`body exceeds ${limit} bytes`);
      body.cancel(error);
      throw error;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
