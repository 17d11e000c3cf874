import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Namespace } from '../namespace.js';
import { compareVersions, type Version } from '../trust/epoch.js';

/** Tells how far nodes were in namespaces when they answered. */
export interface Whereabouts {
  /**
   * A node has answered with this version of a namespace.
   * @param newest the newest of which a verified head is known
   */
  answered(url: string, namespace: Namespace, version: Version, newest: Version): void;
}

/** Which nodes have been behind in a namespace for long. Being a little behind is how replication is. */
export class Positions implements Whereabouts {
  readonly #clock: Clock;
  readonly #most: number;
  /** Since when, and when it was last seen; in the order of that. */
  readonly #behind = new Map<
    string,
    { readonly since: MonotonicMs; readonly seen: MonotonicMs; readonly missing: Lag }
  >();

  constructor(clock: Clock, most = 4096) {
    this.#clock = clock;
    this.#most = most;
  }

  answered(url: string, namespace: Namespace, version: Version, newest: Version): void {
    const key = keyOf(url, namespace);
    const known = this.#behind.get(key);
    this.#behind.delete(key);
    if (compareVersions(version, newest) >= 0) return;
    const now = this.#clock.monotonic();
    const [first] = this.#behind.keys();
    if (this.#behind.size >= this.#most && first !== undefined) this.#behind.delete(first);
    const missing = version.epoch === newest.epoch ? newest.seq - version.seq : null;
    this.#behind.set(key, { since: known?.since ?? now, seen: now, missing });
  }

  /** For how long it has been seen to be behind, and by how many changes; null if it was not, or only just now. */
  farBehind(url: string, namespace: Namespace): { readonly time: Milliseconds; readonly missing: Lag } | null {
    const known = this.#behind.size === 0 ? undefined : this.#behind.get(keyOf(url, namespace));
    if (known === undefined) return null;
    const time = elapsedMonotonic(known.since, known.seen);
    // what nobody has looked at for long may have caught up
    const isOld = elapsedMonotonic(known.seen, this.#clock.monotonic()) > forgetting;
    return time < tolerated || isOld ? null : { time, missing: known.missing };
  }
}

/** Changes; null if the node is in an epoch that has ended. */
type Lag = number | null;

const keyOf = (url: string, namespace: Namespace): string => `${url} ${namespace}`;

const tolerated = milliseconds(60_000);
const forgetting = milliseconds(600_000);
