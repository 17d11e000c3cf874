import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { FailoverSettings } from './failover-settings.js';
import type { Latencies } from './latencies.js';
import type { Entrant } from './staggered.js';

/** How long a node has a request to itself before another one is asked as well. */
export class Pace {
  readonly #latencies: Latencies;
  #requests = 0;
  #hedged = 0;

  constructor(latencies: Latencies) {
    this.#latencies = latencies;
  }

  /** A request begins. */
  begin(): void {
    // what was long ago is no budget for now
    if (++this.#requests < longAgo) return;
    this.#requests /= 2;
    this.#hedged /= 2;
  }

  /** The same for a request that may be hedged: then another one is asked once this one is slower than usual. */
  leadFor(url: string, settings: FailoverSettings): Entrant<unknown>['lead'] {
    const { hedge } = settings;
    const late = this.lateFor(url, settings);
    const usual = hedge.enabled ? this.#latencies.percentile(url, hedge.after) : null;
    if (usual === null || usual >= (late?.duration ?? settings.patience)) return late;
    if (this.#hedged + 1 > hedge.budget * this.#requests) return late;
    return { duration: milliseconds(Math.max(shortest, usual)), isLate: false };
  }

  /** When a node is so late that it is probably not there. */
  lateFor(url: string, { patience }: FailoverSettings): Entrant<unknown>['lead'] {
    const longest = this.#latencies.percentile(url, 1);
    const late = longest === null ? unknown : Math.max(leastLate, muchLonger * longest);
    return late < patience ? { duration: milliseconds(late), isLate: true } : null;
  }

  /** Another one was asked that would not have been but for `hedge`. */
  hedge(): void {
    this.#hedged++;
  }
}

const longAgo = 10_000;
const shortest: Milliseconds = milliseconds(1);
/** Whoever takes so much longer than ever of late is probably not there. */
const muchLonger = 4;
const leastLate = milliseconds(500);
/** Of whom nothing is known. */
const unknown = milliseconds(1000);
