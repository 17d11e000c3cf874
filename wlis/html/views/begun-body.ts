import type { Bytes } from '../../../config/units.js';
import type { Body } from '../../../proxy/http/body.js';
import type { Fields } from '../../../proxy/http/fields.js';

/** A body of which somebody has read the beginning, from that beginning. It owns the rest. */
export class BegunBody implements Body {
  #next = 0;

  /** @param length of all of it; null where that is not known */
  constructor(
    private readonly begun: readonly Buffer[],
    private readonly rest: Body,
    readonly length: Bytes | null,
  ) {}

  get trailers(): Fields {
    return this.rest.trailers;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    return this.begun[this.#next++] ?? this.rest.read();
  }

  cancel(reason?: Error): void {
    this.#next = this.begun.length;
    this.rest.cancel(reason);
  }
}
