/** What has come of a transfer and may still be needed: adjacent chunks, in order, of which the first can be dropped. */
export class ReceivedChunks {
  readonly #chunks: { readonly start: number; readonly data: Buffer }[] = [];
  #start = 0;
  #end = 0;

  /** Position of the first byte that is still there; the end, if none is. */
  get start(): number {
    return this.#start;
  }

  /** How many bytes have come in all. */
  get end(): number {
    return this.#end;
  }

  push(data: Buffer): void {
    this.#chunks.push({ start: this.#end, data });
    this.#end += data.length;
  }

  /** What is there from a position on, at least a byte; start ≤ position < end. */
  at(position: number): Buffer {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.start ?? Infinity) <= position) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low];
    if (chunk === undefined || position < chunk.start) throw new RangeError(`position ${position} is no longer held`);
    return position === chunk.start ? chunk.data : chunk.data.subarray(position - chunk.start);
  }

  /** Drops the chunks that end at or before a position. */
  dropBefore(position: number): void {
    let count = 0;
    for (const { start, data } of this.#chunks) {
      if (start + data.length > position) break;
      this.#start = start + data.length;
      count++;
    }
    if (count > 0) this.#chunks.splice(0, count);
  }
}
