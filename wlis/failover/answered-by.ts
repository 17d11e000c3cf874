import type { Skipped } from '../choice/choice.js';

/** How an answer came to be, for `Cache-Status` and `Proxy-Status`, logs and `willis explain`. */
export interface AnsweredBy {
  /** Of the node whose bytes came first; `https://m1.example`. */
  readonly url: string;
  readonly role: 'primary' | 'replica' | 'mirror';
  readonly score: number | null;
  /** Those that were not tried, or tried in vain, and why. */
  readonly skipped: readonly Skipped[];
  /** Whether only an expired head proves it (decision 1). */
  readonly isUnconfirmed: boolean;
}
