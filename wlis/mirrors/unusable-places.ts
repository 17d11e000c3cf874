import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { DocumentVersion } from './document-version.js';

interface Mark {
  readonly because: string;
  readonly version: string;
  readonly since: MonotonicMs;
  /** How often in a row. */
  readonly times: number;
}

/**
 * Which mirrors lately had no usable copy of a document, so that they are not asked for it each time. A mark is about one
 * version of the document, and is forgotten by and by: mirrors catch up.
 */
export class UnusablePlaces {
  /** In the order in which they were marked. */
  readonly #marks = new Map<string, Mark>();
  readonly #most: number;

  constructor(most = 10_000) {
    this.#most = most;
  }

  get size(): number {
    return this.#marks.size;
  }

  /** Why a place need not be asked for that version; null if it may have it. */
  reason(href: string, version: DocumentVersion | null, now: MonotonicMs): string | null {
    const mark = this.#marks.get(href);
    if (mark === undefined || mark.version !== spelled(version)) return null;
    return elapsedMonotonic(mark.since, now) < restFor(mark.times) ? mark.because : null;
  }

  mark(href: string, version: DocumentVersion | null, because: string, now: MonotonicMs): void {
    const before = this.#marks.get(href);
    const name = spelled(version);
    const times = before?.version === name ? Math.min(before.times + 1, mostTimes) : 1;
    this.#marks.delete(href);
    this.#marks.set(href, { because, version: name, since: now, times });
    if (this.#marks.size <= this.#most) return;
    const [oldest] = this.#marks.keys();
    if (oldest !== undefined) this.#marks.delete(oldest);
  }

  /** It has a usable one. */
  clear(href: string): void {
    this.#marks.delete(href);
  }
}

/** A minute, and then twice as long each time, up to about an hour. */
const restFor = (times: number): Milliseconds => milliseconds(60_000 * 2 ** (times - 1));

const mostTimes = 7;

function spelled(version: DocumentVersion | null): string {
  if (version === null) return '';
  const { length, digest, entityTag, lastModified, coding } = version;
  return JSON.stringify([length, digest, entityTag?.opaque ?? null, lastModified, coding]);
}
