import { bytes, type Bytes } from '../../../config/units.js';
import { endOf, type Segment } from './segment.js';

/** A complete response up to this is made one whatever it is made of: then its file alone knows all of it. */
const smallWhole = 1024 * 1024;
/** So many neighbours of a size are worth one. */
const most = 8;
/** What counts as a size: up to 1 MiB, up to 8 MiB, … */
const smallest = 1024 * 1024;
const step = 8;
const largest = smallest * step ** 4;

/** Segments that lie next to each other, or overlap, and what they are together. */
export interface SegmentRun {
  readonly segments: readonly Segment[];
  readonly from: Bytes;
  readonly to: Bytes;
}

/**
 * Which segments of a response are to be made one; null: none. Pieces are merged with pieces of their size, so that however
 * many come a byte is copied but a few times, and a run of bytes is never in more than a few dozen pieces.
 */
export function runToMerge(segments: readonly Segment[], isComplete: boolean): SegmentRun | null {
  if (segments.length < 2) return null;
  const sorted = [...segments].sort((one, other) => one.from - other.from || endOf(other) - endOf(one));
  const whole = runOf(sorted);
  if (isComplete && whole.to <= smallWhole) return whole;
  for (let size = smallest; size <= largest; size *= step) {
    const found = neighbours(sorted, size).find((run) => run.length >= most);
    if (found !== undefined) return runOf(found);
  }
  return null;
}

/** Runs of segments below a size without a gap between them. */
function neighbours(sorted: readonly Segment[], size: number): Segment[][] {
  const runs: Segment[][] = [];
  let run: Segment[] = [];
  let end = 0;
  for (const one of sorted) {
    if (one.length >= size || (run.length > 0 && one.from > end)) {
      runs.push(run);
      run = [];
      end = 0;
    }
    if (one.length >= size) continue;
    run.push(one);
    end = Math.max(end, endOf(one));
  }
  return [...runs, run];
}

const runOf = (segments: readonly Segment[]): SegmentRun => ({
  segments,
  from: bytes(Math.min(...segments.map(({ from }) => from))),
  to: bytes(Math.max(...segments.map(endOf))),
});
