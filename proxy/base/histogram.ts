import { seconds, type Seconds } from '../../config/units.js';

/** How many observed times were at most how long, for fixed bounds, and their sum. */
export class Histogram {
  /** Upper bounds, in ascending order; what is beyond the last is counted too. */
  readonly bounds: readonly Seconds[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly Seconds[]) {
    this.bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(time: Seconds): void {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && time > (bounds[at] as number)) at++;
    if (at < bounds.length) this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count++;
    this.#sum += time;
  }

  /** Observations so far. */
  get count(): number {
    return this.#count;
  }

  get sum(): Seconds {
    return seconds(this.#sum);
  }

  /** For each bound, how many observations were not beyond it. */
  cumulative(): number[] {
    let total = 0;
    return this.#counts.map((count) => (total += count));
  }
}

/** For the times of requests, from a hit in memory to a slow origin server. */
export const latencyBounds: readonly Seconds[] = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
].map(seconds);
