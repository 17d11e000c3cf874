import { epochMs, monotonicMs, type EpochMs, type MonotonicMs } from '../../config/units.js';

/** The two clocks of a process. The only place where time is read; pure rules take `now` as an argument. */
export interface Clock {
  /** Wall-clock time, for comparison with HTTP dates. */
  now(): EpochMs;
  /** For durations and deadlines inside this process. */
  monotonic(): MonotonicMs;
}

export const systemClock: Clock = {
  // eslint-disable-next-line no-restricted-properties -- this is the clock
  now: () => epochMs(Date.now()),
  monotonic: () => monotonicMs(performance.now()),
};
