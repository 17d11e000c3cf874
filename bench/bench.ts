import type { Options } from './options.js';
import type { Origin } from './origin.js';
import type { Peer } from './peers/peer.js';

/** What all measurements of one run have in common. */
export interface Bench {
  readonly options: Options;
  readonly peers: readonly Peer[];
  readonly origin: Origin;
  /** Whether instructions and cycles can be counted. */
  readonly countsProcessor: boolean;
  readonly signal: AbortSignal;
  /** Tells the person who waits. */
  readonly say: (text: string) => void;
}

/** The error of one measurement, with its name; the reason for the interruption if there was one. */
export function named(error: unknown, name: string, signal: AbortSignal): Error {
  signal.throwIfAborted();
  return new Error(`${name}: ${(error as Error).message}`, { cause: error });
}
