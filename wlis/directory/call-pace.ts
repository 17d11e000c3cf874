import { milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/**
 * Keeps a node from being made to call others in vain: each URL that failed is left alone for twice as long as the time before,
 * and each host has an allowance of failures, so that nobody who names many URLs can aim more than that at one machine.
 */
export class CallPace {
  readonly #urls = new Map<string, { failures: number; until: MonotonicMs }>();
  readonly #hosts = new Map<string, { credit: number; at: MonotonicMs }>();

  /** Why it may not be called now; null if it may be. */
  refusal(url: string, now: MonotonicMs): 'backed-off' | 'host-spent' | null {
    const known = this.#urls.get(url);
    if (known !== undefined && now < known.until) return 'backed-off';
    return this.#credit(hostOf(url), now) < 1 ? 'host-spent' : null;
  }

  failed(url: string, now: MonotonicMs): void {
    const failures = Math.min(mostDoublings, (this.#urls.get(url)?.failures ?? 0) + 1);
    keep(this.#urls, url, { failures, until: (now + firstPause * 2 ** (failures - 1)) as MonotonicMs });
    const host = hostOf(url);
    keep(this.#hosts, host, { credit: Math.max(0, this.#credit(host, now) - 1), at: now });
  }

  succeeded(url: string): void {
    this.#urls.delete(url);
  }

  #credit(host: string, now: MonotonicMs): number {
    const known = this.#hosts.get(host);
    return known === undefined ? allowance : Math.min(allowance, known.credit + (now - known.at) / creditEvery);
  }
}

/** The last to come in is the last to be forgotten. */
function keep<T>(table: Map<string, T>, key: string, value: T): void {
  table.delete(key);
  table.set(key, value);
  if (table.size <= mostKept) return;
  const [first] = table.keys();
  if (first !== undefined) table.delete(first);
}

const hostOf = (url: string): string => /^https?:\/\/(\[[^\]]*\]|[^/:]*)/.exec(url)?.[1] ?? url;

const firstPause: Milliseconds = milliseconds(5000);
/** Up to some ten minutes. */
const mostDoublings = 8;
/** Failures at one host before it is left alone, and how long one of them counts. */
const allowance = 16;
const creditEvery: Milliseconds = milliseconds(10_000);
const mostKept = 8192;
