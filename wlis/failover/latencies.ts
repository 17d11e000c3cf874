import { bytes, milliseconds, type Milliseconds } from '../../config/units.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';

interface Ring {
  readonly values: Float64Array;
  count: number;
}

/** How long nodes took lately, from sending a request to the proof of its answer. */
export class Latencies {
  readonly #rings = new RecentlyUsed<string, Ring>(bytes(mostNodes));

  note(url: string, took: Milliseconds): void {
    let ring = this.#rings.use(url);
    if (ring === undefined) {
      ring = { values: new Float64Array(size), count: 0 };
      this.#rings.put(url, ring, bytes(1));
    }
    ring.values[ring.count++ % size] = took;
  }

  /** As long as that share of the last ones took at most; null before there are a few. @param share from 0 to 1 */
  percentile(url: string, share: number): Milliseconds | null {
    const ring = this.#rings.use(url);
    if (ring === undefined || ring.count < fewest) return null;
    const sorted = ring.values.slice(0, Math.min(size, ring.count)).sort();
    return milliseconds(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  }
}

const size = 64;
const fewest = 8;
const mostNodes = 4096;
