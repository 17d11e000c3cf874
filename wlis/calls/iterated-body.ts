import type { Bytes } from '../../config/units.js';
import type { Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';

/** Content that is made one piece after the other, each when it is asked for. */
export class IteratedBody implements Body {
  readonly length: Bytes | null;
  readonly trailers = Fields.none;
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #onCancel: (reason?: Error) => void;
  #isOver = false;

  /** @param onCancel called if the reader gives up, before the iteration is ended */
  constructor(
    pieces: AsyncIterable<Buffer>,
    length: Bytes | null,
    onCancel: (reason?: Error) => void = () => undefined,
  ) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.length = length;
    this.#onCancel = onCancel;
  }

  async read(): Promise<Buffer | null> {
    while (!this.#isOver) {
      const next = await this.#pieces.next();
      if (next.done === true) this.#isOver = true;
      else if (next.value.length > 0) return next.value;
    }
    return null;
  }

  cancel(reason?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onCancel(reason);
    // nobody is left to be told that ending it failed
    this.#pieces.return?.().catch(() => undefined);
  }
}

/** What a body gives, for those who iterate. It is read to its end, or cancelled when the iteration is ended before. */
export async function* piecesOf(body: Body): AsyncGenerator<Buffer> {
  let isOver = false;
  try {
    for (let piece = await body.read(); piece !== null; piece = await body.read()) yield piece;
    isOver = true;
  } finally {
    if (!isOver) body.cancel();
  }
}
