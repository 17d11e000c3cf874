import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/** A node to pull from. */
export interface Source {
  readonly url: string;
}

/**
 * In which order the nodes above are asked: the nearest first, but those that failed a moment ago last. One that failed comes
 * back to its place after a while, a longer one each time, until it does well.
 */
export class SourceOrder<S extends Source> {
  #sources: readonly S[] = [];
  readonly #failures = new Map<string, { readonly times: number; readonly until: MonotonicMs }>();

  /** From the nearest to the farthest; of several with one URL the first counts. */
  set(sources: readonly S[]): void {
    this.#sources = sources.filter(({ url }, i) => sources.findIndex((other) => other.url === url) === i);
    for (const url of this.#failures.keys()) {
      if (!this.#sources.some((source) => source.url === url)) this.#failures.delete(url);
    }
  }

  /** From the nearest to the farthest. */
  get all(): readonly S[] {
    return this.#sources;
  }

  /** All of them. */
  ordered(now: MonotonicMs): readonly S[] {
    const [well, failed]: [S[], S[]] = [[], []];
    for (const source of this.#sources) (this.#hasFailed(source.url, now) ? failed : well).push(source);
    return [...well, ...failed];
  }

  /** Whether it is in its place. */
  isWell(url: string, now: MonotonicMs): boolean {
    return !this.#hasFailed(url, now);
  }

  failed(url: string, now: MonotonicMs): void {
    if (this.#hasFailed(url, now) || !this.#sources.some((source) => source.url === url)) return;
    const times = (this.#failures.get(url)?.times ?? 0) + 1;
    const wait = Math.min(firstWait * 2 ** (times - 1), longestWait);
    this.#failures.set(url, { times, until: monotonicMs(now + wait) });
  }

  well(url: string): void {
    this.#failures.delete(url);
  }

  /** How long till one comes back to its place; null if none will. */
  nextReturn(now: MonotonicMs): Milliseconds | null {
    const waits = [...this.#failures.values()].map(({ until }) => until - now).filter((wait) => wait > 0);
    return waits.length === 0 ? null : milliseconds(Math.min(...waits));
  }

  #hasFailed(url: string, now: MonotonicMs): boolean {
    const failure = this.#failures.get(url);
    return failure !== undefined && now < failure.until;
  }
}

const firstWait = 5000;
const longestWait = 300_000;
