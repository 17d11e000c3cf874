/** What became of requests. */
export interface Failure {
  /** Milliseconds since the beginning. */
  readonly at: number;
  readonly what: string;
}

/** Counts what readers got, and how long it took them. */
export class Tally {
  requests = 0;
  failed = 0;
  bytes = 0;
  /** The first ones. */
  readonly failures: Failure[] = [];
  /** By what was asked for. */
  readonly kinds = new Map<string, number>();
  /** By the name of the node that the answer came from; `proxy` where it was there already. */
  readonly sources = new Map<string, number>();
  readonly #began: number;
  readonly #now: () => number;
  #times: number[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
  }

  get elapsed(): number {
    return this.#now() - this.#began;
  }

  answered(kind: string, source: string, bytes: number, took: number): void {
    this.requests += 1;
    this.bytes += bytes;
    count(this.kinds, kind);
    count(this.sources, source);
    this.#times.push(took);
    if (this.#times.length > mostTimes) this.#times = this.#times.filter((_, i) => i % 2 === 1);
  }

  /** Something is not as it has to be. */
  fail(what: string): void {
    this.failed += 1;
    if (this.failures.length < mostFailures) this.failures.push({ at: this.elapsed, what });
  }

  /** Milliseconds within which that share of the answers was complete; null if there were none. */
  within(share: number): number | null {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  }
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

const mostFailures = 50;
const mostTimes = 1_000_000;
