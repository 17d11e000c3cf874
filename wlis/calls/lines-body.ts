import type { Body } from '../../proxy/http/body.js';
import { nextTurn } from '../../proxy/cache/next-turn.js';
import { Fields } from '../../proxy/http/fields.js';

/** Lines that are made when they are asked for, a few at a time, so that a long list neither piles up nor holds others back. */
export class LinesBody implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  readonly #lines: Iterator<string>;
  #isOver = false;
  #sinceTurn = 0;

  /** @param lines without their line feeds */
  constructor(lines: Iterable<string>) {
    this.#lines = lines[Symbol.iterator]();
  }

  read(): Buffer | null | Promise<Buffer | null> {
    // a client that takes all at once would have all of it made in one turn
    if (++this.#sinceTurn < perTurn) return this.#next();
    this.#sinceTurn = 0;
    return nextTurn().then(() => this.#next());
  }

  #next(): Buffer | null {
    let text = '';
    while (!this.#isOver && text.length < enough) {
      const next = this.#lines.next();
      if (next.done === true) this.#isOver = true;
      else text += `${next.value}\n`;
    }
    return text === '' ? null : Buffer.from(text);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lines.return?.();
  }
}

/** In characters. */
const enough = 32_768;
/** Some milliseconds. */
const perTurn = 8;
