import { epochMs, type EpochMs } from '../../config/units.js';
import { NotBelieved, quoted } from './not-believed.js';

declare const epoch: unique symbol;

/**
 * The name of one unbroken list of changes: `<ms>-<random>`, milliseconds since 1970 without leading zeros, and 16
 * lower-case hexadecimal digits that keep two beginnings in one millisecond apart.
 */
export type Epoch = string & { readonly [epoch]: true };

/** A change: epochs count first, numbers within one. */
export interface Version {
  readonly epoch: Epoch;
  /** Its place in the list of changes, from 1; 0 stands before the first. */
  readonly seq: number;
}

/**
 * An epoch later than all before it, whatever the clock says.
 * @param previous the latest that is known, null if none is
 * @param chance 8 random bytes
 */
export function newEpoch(previous: Epoch | null, now: EpochMs, chance: Uint8Array): Epoch {
  const begin = previous === null ? now : Math.max(epochBegin(previous) + 1, now);
  const random = Array.from(chance.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return parseEpoch(`${Math.trunc(begin)}-${random}`);
}

/** @throws NotBelieved malformed; `what` says whose it is */
export function parseEpoch(text: string, what = 'epoch'): Epoch {
  if (!/^[1-9]\d{0,14}-[0-9a-f]{16}$/.test(text)) {
    throw new NotBelieved('malformed', `${what}: ${quoted(text)} is no epoch`);
  }
  return text as Epoch;
}

export const epochBegin = (of: Epoch): EpochMs => epochMs(Number(of.slice(0, of.indexOf('-'))));

/** Negative if `a` is the earlier one, 0 only if they are the same. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  if (a === b) return 0;
  const difference = epochBegin(a) - epochBegin(b);
  if (difference !== 0) return difference;
  return a < b ? -1 : 1;
}

/** Negative if `a` is the earlier one. */
export const compareVersions = (a: Version, b: Version): number => compareEpochs(a.epoch, b.epoch) || a.seq - b.seq;
