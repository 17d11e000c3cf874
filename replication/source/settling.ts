import { elapsed, elapsedMonotonic, milliseconds } from '../../config/units.js';
import type { EpochMs, Milliseconds, MonotonicMs } from '../../config/units.js';
import { sameFingerprint, type Fingerprint } from './source-file.js';

export interface SettleTimes {
  /** How long a file that was written in place has to stay as it is. */
  readonly written: Milliseconds;
  /** The same for one that was moved to its name when it was finished. */
  readonly moved: Milliseconds;
  /** How long a document has to be missing to be removed. */
  readonly missing: Milliseconds;
}

export const usualSettleTimes: SettleTimes = {
  written: milliseconds(1000),
  moved: milliseconds(25),
  missing: milliseconds(1000),
};

/** A file that somebody may be writing. */
export interface Look {
  readonly fingerprint: Fingerprint;
  /** Since when it has been like that. */
  readonly since: MonotonicMs;
  /** How long that is to last. */
  readonly needed: Milliseconds;
}

export interface Moment {
  readonly wall: EpochMs;
  readonly monotonic: MonotonicMs;
}

export type Settling =
  { readonly settled: true } | { readonly settled: false; readonly look: Look; readonly wait: Milliseconds };

/**
 * Whether a file can be taken for finished:
 *
 * 1. last changed more than a minute ago (and not in the future): at once. A minute, since the clock that stamps files may be
 *    that of another machine.
 * 2. otherwise when it has been the same for `written`; three times as long when it was seen to change meanwhile.
 * 3. when the last that happened to a new file was not writing but moving (its status changed after its content): `moved`.
 *
 * @param known what of the name is in the store
 * @param before the look before, if it was not settled then
 */
export function settle(
  fingerprint: Fingerprint,
  known: Fingerprint | undefined,
  before: Look | undefined,
  now: Moment,
  times: SettleTimes,
): Settling {
  const isSame = before !== undefined && sameFingerprint(before.fingerprint, fingerprint);
  if (before === undefined && isOld(fingerprint, now.wall)) return { settled: true };
  const look = isSame
    ? before
    : { fingerprint, since: now.monotonic, needed: neededFor(fingerprint, known, before, times) };
  const wait = milliseconds(look.needed - elapsedMonotonic(look.since, now.monotonic));
  return wait <= 0 ? { settled: true } : { settled: false, look, wait };
}

const longAgo = milliseconds(60_000);

function isOld({ mtime, ctime }: Fingerprint, now: EpochMs): boolean {
  return elapsed(ctime, now) > longAgo && elapsed(mtime, now) > longAgo;
}

function neededFor(
  fingerprint: Fingerprint,
  known: Fingerprint | undefined,
  before: Look | undefined,
  { written, moved }: SettleTimes,
): Milliseconds {
  if (fingerprint.inode !== known?.inode && fingerprint.ctime > fingerprint.mtime) return moved;
  const isBeingWritten = before !== undefined && before.fingerprint.inode === fingerprint.inode;
  return isBeingWritten ? milliseconds(3 * written) : written;
}
