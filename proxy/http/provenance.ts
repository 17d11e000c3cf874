import type { EpochMs, Seconds } from '../../config/units.js';

/** Where an answer comes from, for who makes a page of it that says so. */
export interface Provenance {
  /** When it, or the last confirmation of it, was received here. */
  readonly receivedAt: EpochMs;
  /** How old it was then. */
  readonly ageThen: Seconds;
  /** Until when it is fresh; null where it has to be confirmed each time. */
  readonly freshUntil: EpochMs | null;
  /** Whom it was got from, as far as that is known: one of several nodes; null for the origin server itself. */
  readonly source: Source | null;
  /** Whether it stands in, stale, because whoever was asked could not confirm it (RFC 9111 §4.2.4). */
  readonly standsIn?: boolean;
  /**
   * Names its content as it is sent (RFC 9110 §8.1, before any range is cut out): the same name is never given to other bytes.
   * Null where nothing of the answer may be kept.
   */
  readonly contentName?: string | null;
}

export interface Source {
  /** `https://m1.example` */
  readonly url: string;
  readonly role: 'primary' | 'replica' | 'mirror';
  /** The version of the namespace at which it was proven; null if it was not. */
  readonly version: { readonly epoch: string; readonly seq: number } | null;
  /** Whether only an expired head proves it (protocol decision 1). */
  readonly isUnconfirmed: boolean;
}
