import { epochMs, type EpochMs } from '../../../config/units.js';
import type { ServerFacts } from '../../../wlis/html/bar/server-words.js';
import type { HealthTable } from '../../../wlis/health/health-table.js';
import type { Positions } from '../../../wlis/health/positions.js';
import type { PartServer, ServedPart } from './served-parts.js';

export interface ServerStatesOptions {
  readonly health: Pick<HealthTable, 'of'>;
  readonly positions: Pick<Positions, 'farBehind'>;
  readonly most?: number;
}

/** How servers are, as readers are told: nothing of it changes unless something has happened. */
export class ServerStates {
  readonly #options: ServerStatesOptions;
  readonly #most: number;
  /** Since when those look down that do. */
  readonly #down = new Map<string, EpochMs>();

  constructor(options: ServerStatesOptions) {
    this.#options = options;
    this.#most = options.most ?? 2048;
  }

  of({ url, urls, role }: PartServer, { by }: ServedPart): ServerFacts {
    const lag = by.kind === 'group' ? this.#behind(urls, by.known.namespace) : null;
    return { url, role, down: this.#downOf(urls), behind: lag === null ? null : (lag.missing ?? 'epoch') };
  }

  #behind(
    urls: readonly string[],
    namespace: Parameters<Positions['farBehind']>[1],
  ): ReturnType<Positions['farBehind']> {
    for (const url of urls) {
      const lag = this.#options.positions.farBehind(url, namespace);
      if (lag !== null) return lag;
    }
    return null;
  }

  /** A node is down that looks so by all its URLs. Each failure is told with its own time: the first one counts. */
  #downOf(urls: readonly string[]): ServerFacts['down'] {
    const [first = ''] = urls;
    const all = urls.map((url) => this.#options.health.of(url));
    if (all.some(({ breaker }) => breaker === 'closed')) {
      this.#down.delete(first);
      return null;
    }
    const known = this.#down.get(first);
    if (known !== undefined) return { since: known };
    const times = all.flatMap(({ failure }) => (failure === null ? [] : [failure.at]));
    if (times.length === 0) return { since: null };
    const since = epochMs(Math.min(...times));
    const [longestKnown] = this.#down.keys();
    if (this.#down.size >= this.#most && longestKnown !== undefined) this.#down.delete(longestKnown);
    this.#down.set(first, since);
    return { since };
  }
}
