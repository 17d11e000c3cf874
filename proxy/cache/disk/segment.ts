import { bytes, type Bytes } from '../../../config/units.js';
import { addInterval } from '../partial.js';
import type { Interval } from '../stored-response.js';
import { ENDING_LENGTH, footerSize } from './segment-format.js';

/** Bytes of a response that lie next to each other: in a file of their own or, if they are few, in the index. */
export interface Segment {
  /** Names the file, or the record in the index. */
  readonly id: string;
  readonly inline: boolean;
  /** Position of the first byte in the representation. */
  readonly from: Bytes;
  readonly length: Bytes;
  readonly blockSize: Bytes;
  /** Where the content begins in the file. */
  readonly offset: Bytes;
  /** SHA-256, base64: of the content if it is one block, otherwise of the digests of its blocks. */
  readonly digest: string;
}

/** What a file system gives a file, and an index a value. */
const fileUnit = 4096;
const perValue = 64;

export const endOf = ({ from, length }: Segment): Bytes => bytes(from + length);

/** What a segment counts against the limit of a store. */
export const sizeOf = ({ inline, offset, length, blockSize }: Segment): Bytes =>
  inline ? inlineSize(length) : fileSize(offset, length, blockSize);

export const inlineSize = (length: Bytes): Bytes => bytes(perValue + length);

export const fileSize = (offset: Bytes, length: Bytes, blockSize: Bytes): Bytes =>
  bytes(Math.ceil((offset + length + footerSize(length, blockSize) + ENDING_LENGTH) / fileUnit) * fileUnit);

/** Which bytes segments hold together. */
export function heldBy(segments: readonly Segment[]): readonly Interval[] {
  let held: readonly Interval[] = [];
  for (const segment of segments) held = addInterval(held, { from: segment.from, to: endOf(segment) });
  return held;
}

/** The segment that gives most bytes from a position on; null if none has the byte there. */
export function segmentAt(segments: readonly Segment[], position: number): Segment | null {
  let best: Segment | null = null;
  for (const one of segments) {
    if (one.from <= position && endOf(one) > position && (best === null || endOf(one) > endOf(best))) best = one;
  }
  return best;
}

/** Without those whose bytes the others have as well. */
export function withoutCovered(segments: readonly Segment[]): readonly Segment[] {
  let kept = segments;
  for (const one of segments) {
    const others = kept.filter((other) => other !== one);
    if (heldBy(others).some(({ from, to }) => from <= one.from && endOf(one) <= to)) kept = others;
  }
  return kept;
}
