import { bytes, type Bytes } from '../../config/units.js';
import { BodyAssembly } from './body-assembly.js';
import { addInterval, covers, isWhole, missingWithin } from './partial.js';
import type { Interval } from './stored-response.js';

/**
 * The bytes of a representation as far as they are held, immutable. The chunks, one after the other, fill the held
 * intervals, one after the other; no chunk crosses from one interval to the next.
 *
 *     held     [0 ───────── 10)      [20 ─── 26)
 *     chunks   [  6  ][  4   ]       [   6    ]
 */
export class SparseBody {
  static readonly empty = new SparseBody([], []);

  readonly held: readonly Interval[];
  readonly chunks: readonly Buffer[];

  private constructor(held: readonly Interval[], chunks: readonly Buffer[]) {
    this.held = held;
    this.chunks = chunks;
  }

  /** The chunks one after the other, beginning at position `at`. They are kept, not copied. */
  static of(at: Bytes, chunks: readonly Buffer[]): SparseBody {
    let to: number = at;
    for (const chunk of chunks) to += chunk.length;
    return to === at ? SparseBody.empty : new SparseBody([{ from: at, to: bytes(to) }], chunks);
  }

  /** How many bytes are held. */
  get size(): Bytes {
    let size = 0;
    for (const { from, to } of this.held) size += to - from;
    return bytes(size);
  }

  /** Whether all bytes from 0 to `length` are held. */
  isWhole(length: Bytes): boolean {
    return isWhole(this.held, length);
  }

  /** The bytes from ≤ position < to, as views of the chunks. @throws RangeError if not all of them are held */
  slice(from: Bytes, to: Bytes): readonly Buffer[] {
    if (from >= to) return [];
    const { held, chunks } = this;
    if (held.length === 1 && held[0]?.from === from && held[0].to === to) return chunks;
    if (!covers(held, { from, to })) throw new RangeError(`bytes ${from} to ${to} are not all held`);
    const slices: Buffer[] = [];
    this.#walk((chunk, at) => {
      if (at >= to || at + chunk.length <= from) return;
      slices.push(chunk.subarray(Math.max(0, from - at), Math.min(chunk.length, to - at)));
    });
    return slices;
  }

  /**
   * These bytes and more of the same representation, in chunks from position `at` on. What is held already stays; the
   * rest is put with its neighbours into few blocks.
   */
  extendedBy(at: Bytes, chunks: readonly Buffer[]): SparseBody {
    const added = SparseBody.of(at, chunks);
    const [interval] = added.held;
    if (interval === undefined) return this;
    if (this.held.length === 0) return added;
    const gaps = missingWithin(this.held, interval);
    const held = addInterval(this.held, interval);
    const joined = held.find(({ from, to }) => from <= at && at < to);
    if (gaps.length === 0 || joined === undefined) return this;
    const before: Buffer[] = [];
    const within: Placed[] = [];
    const after: Buffer[] = [];
    this.#walk((chunk, position) => {
      if (position < joined.from) before.push(chunk);
      else if (position < joined.to) within.push({ at: position, chunks: [chunk] });
      else after.push(chunk);
    });
    for (const gap of gaps) within.push({ at: gap.from, chunks: added.slice(gap.from, gap.to) });
    return new SparseBody(held, [...before, ...assemble(joined, within), ...after]);
  }

  #walk(visit: (chunk: Buffer, at: number) => void): void {
    const { held } = this;
    let interval = 0;
    let at: number = held[0]?.from ?? 0;
    for (const chunk of this.chunks) {
      if (at === held[interval]?.to) at = held[++interval]?.from ?? at;
      visit(chunk, at);
      at += chunk.length;
    }
  }
}

interface Placed {
  readonly at: number;
  readonly chunks: readonly Buffer[];
}

/** What fills an interval without a gap, put in order and into few blocks. */
function assemble({ from, to }: Interval, parts: Placed[]): Buffer[] {
  const assembly = new BodyAssembly(bytes(to - from));
  parts.sort((a, b) => a.at - b.at);
  for (const { chunks } of parts) for (const chunk of chunks) assembly.add(chunk);
  return assembly.finish();
}
