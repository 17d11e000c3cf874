import type { Source } from '../http/provenance.js';

/** How an answer came to be where several nodes could give it, for `Cache-Status` and `Proxy-Status`, logs and `willis explain`. */
export interface AnsweredBy {
  /** Of the node whose bytes came first; `https://m1.example`. */
  readonly url: string;
  readonly role: 'primary' | 'replica' | 'mirror';
  readonly score: number | null;
  /** Those that were not tried, or tried in vain, and why. */
  readonly skipped: readonly { readonly url: string; readonly because: string }[];
  /** Whether only an expired head proves it (decision 1). */
  readonly isUnconfirmed: boolean;
  /** The version of the namespace, as its head says, at which it was proven; missing where nothing was. */
  readonly version?: Source['version'];
}

/** What is kept of it with a stored response. */
export function sourceOf({ url, role, isUnconfirmed, version = null }: AnsweredBy): Source {
  return { url, role, version, isUnconfirmed };
}

/** `replica https://m1.example score 12; unconfirmed; skipped https://m2.example: silent` */
export function answeredByText({ role, url, score, skipped, isUnconfirmed }: AnsweredBy): string {
  const parts = [score === null ? `${role} ${url}` : `${role} ${url} score ${rounded(score)}`];
  if (isUnconfirmed) parts.push('unconfirmed');
  for (const one of skipped.slice(0, mostTold)) parts.push(`skipped ${one.url}: ${one.because}`);
  if (skipped.length > mostTold) parts.push(`and ${skipped.length - mostTold} more`);
  return parts.join('; ');
}

const rounded = (score: number): number => Number(score.toPrecision(3));

/** A group may have a thousand members. */
const mostTold = 4;
