import type { Bytes } from '../../../config/units.js';
import type { Body } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';

/** What makes a view of a page as it comes. */
export interface Splicer {
  /** What can be sent on. */
  push(chunk: Buffer): readonly Buffer[];
  /** The rest. */
  end(): readonly Buffer[];
}

/** A page as it becomes a view. It owns the page. */
export class SplicedBody implements Body {
  /** Only the end tells. */
  readonly length: Bytes | null = null;
  /** Those of the page may be about its bytes. */
  readonly trailers = Fields.none;
  #pieces: readonly Buffer[] = none;
  #next = 0;
  /** What was read of the page so that its end, if it is there already, leaves with what comes before it. */
  #ahead: Buffer | Promise<Buffer | null> | null = null;
  #isLast = false;

  constructor(
    private readonly page: Body,
    private readonly splicer: Splicer,
  ) {}

  read(): Buffer | null | Promise<Buffer | null> {
    for (;;) {
      const piece = this.#pieces[this.#next++];
      if (piece === undefined) {
        if (this.#isLast) return null;
        const chunk = this.#ahead ?? this.page.read();
        this.#ahead = null;
        if (chunk instanceof Promise) return chunk.then((come) => this.#goOn(come));
        this.#take(chunk);
      } else if (piece.length > 0) return piece;
    }
  }

  cancel(reason?: Error): void {
    this.#pieces = none;
    this.page.cancel(reason);
  }

  #goOn(chunk: Buffer | null): Buffer | null | Promise<Buffer | null> {
    this.#take(chunk);
    return this.read();
  }

  #take(chunk: Buffer | null): void {
    const pieces = chunk === null ? this.splicer.end() : [...this.splicer.push(chunk), ...this.#endAtHand()];
    this.#isLast ||= chunk === null;
    // many small ones are dearer to whoever takes them than a copy
    this.#pieces = pieces.length > 1 ? [Buffer.concat(pieces)] : pieces;
    this.#next = 0;
  }

  #endAtHand(): readonly Buffer[] {
    const next = this.page.read();
    if (next !== null) {
      this.#ahead = next;
      // whoever reads on learns of it
      if (next instanceof Promise) next.catch(() => undefined);
      return none;
    }
    this.#isLast = true;
    return this.splicer.end();
  }
}

const none: readonly Buffer[] = [];
