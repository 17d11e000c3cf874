import { cacheStatus } from '../../proxy/cache/cache-status.js';
import type { Standing } from './standing.js';

/** How a document came to be the answer, in the words of RFC 9211. */
export interface ServingStatus {
  /** The member of `Cache-Status`. */
  readonly member: string;
  /** For the access log and metrics. */
  readonly outcome: string;
}

/** By whether content had to be fetched for it, and by how well it is confirmed. */
export class ServingStatuses {
  readonly #held: Readonly<Record<Confirmed, ServingStatus>>;
  readonly #fetched: Readonly<Record<Confirmed, ServingStatus>>;

  /** @param name of this node */
  constructor(name: string) {
    const held = (detail: Confirmed): ServingStatus => ({
      member: cacheStatus(name, { hit: true, detail }),
      outcome: 'hit',
    });
    const fetched = (detail: Confirmed): ServingStatus => ({
      member: cacheStatus(name, { fwd: 'miss', detail }),
      outcome: 'fwd=miss',
    });
    this.#held = { authoritative: held('authoritative'), unconfirmed: held('unconfirmed') };
    this.#fetched = { authoritative: fetched('authoritative'), unconfirmed: fetched('unconfirmed') };
  }

  of(standing: Confirmed, wasFetched: boolean): ServingStatus {
    return (wasFetched ? this.#fetched : this.#held)[standing];
  }
}

/** How well that may be by which a node answers. */
export type Confirmed = Exclude<Standing['kind'], 'refused'>;
