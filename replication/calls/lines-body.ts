import type { Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';

/** Lines that are made when they are asked for, a few at a time, so that a long list neither piles up nor holds others back. */
export class LinesBody implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  readonly #lines: Iterator<string>;
  #isOver = false;

  /** @param lines without their line feeds */
  constructor(lines: Iterable<string>) {
    this.#lines = lines[Symbol.iterator]();
  }

  read(): Buffer | null {
    let text = '';
    while (!this.#isOver && text.length < enough) {
      const { done, value } = this.#lines.next();
      if (done === true) this.#isOver = true;
      else text += `${value}\n`;
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
