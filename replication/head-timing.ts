import { epochMs, type EpochMs, type Milliseconds } from '../config/units.js';
import type { Head } from '../wlis/trust/head.js';

/** How a primary states that it is still there. */
export interface HeadTiming {
  /** A new head at least so often, changes or not. */
  readonly heartbeat: Milliseconds;
  /** How long a head proves what is; not shorter than two heartbeats. */
  readonly lifetime: Milliseconds;
}

/**
 * The times of the next head: it is never issued before the one before it, even if the clock goes back (protocol decision 11),
 * so that nobody who has that one takes it for older.
 *
 * @param previous when the last one was issued that anybody may have
 */
export function headTimes(
  previous: EpochMs | null,
  now: EpochMs,
  { heartbeat, lifetime }: HeadTiming,
): Pick<Head, 'issued' | 'refreshAfter' | 'expires'> {
  const issued = Math.max(Math.trunc(now), previous === null ? 0 : previous + 1);
  const end = issued + Math.ceil(lifetime);
  return {
    issued: epochMs(issued),
    refreshAfter: epochMs(Math.min(issued + Math.ceil(2 * heartbeat), end)),
    expires: epochMs(end),
  };
}
