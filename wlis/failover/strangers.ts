import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { originOf, type Namespace } from '../namespace.js';
import { SourceFailed } from './source-failed.js';

/**
 * Hosts that a group names and that have never shown anything true of its namespace. Whoever states a group can name whom he
 * likes, at as many URLs as he likes: so each such host has an allowance of failures, whatever it is called by, and once that is
 * spent is asked again every ten seconds. The host of the namespace itself is none of them.
 */
export class Strangers {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Namespaces and hosts that are no strangers to each other, and what other hosts have left; the last to come in last. */
  readonly #met = new Map<string, true>();
  readonly #left = new Map<string, { readonly credit: number; readonly at: MonotonicMs }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** @throws SourceFailed for one that is left alone */
  refuse(namespace: Namespace, url: string): void {
    const host = hostOf(url);
    const left = this.#left.get(host);
    if (left === undefined || this.#credit(left) >= 1 || this.#isMet(namespace, host)) return;
    throw new SourceFailed(null, 'left alone, since nothing true of this namespace has come from there');
  }

  failed(namespace: Namespace, url: string): void {
    const host = hostOf(url);
    if (this.#isMet(namespace, host)) return;
    const left = this.#left.get(host);
    const credit = left === undefined ? allowance : this.#credit(left);
    keep(this.#left, host, { credit: Math.max(0, credit - 1), at: this.#clock.monotonic() });
  }

  /** What it has shown is true. */
  met(namespace: Namespace, url: string): void {
    const key = keyOf(namespace, hostOf(url));
    if (!this.#met.has(key)) keep(this.#met, key, true);
  }

  #isMet(namespace: Namespace, host: string): boolean {
    return host === hostOf(originOf(namespace)) || this.#met.has(keyOf(namespace, host));
  }

  #credit({ credit, at }: { readonly credit: number; readonly at: MonotonicMs }): number {
    return Math.min(allowance, credit + elapsedMonotonic(at, this.#clock.monotonic()) / creditEvery);
  }
}

function keep<T>(table: Map<string, T>, key: string, value: T): void {
  table.delete(key);
  table.set(key, value);
  const [first] = table.keys();
  if (table.size > mostKept && first !== undefined) table.delete(first);
}

const keyOf = (namespace: Namespace, host: string): string => `${host} ${namespace}`;

const hostOf = (url: string): string => /^https?:\/\/(\[[^\]]*\]|[^/:]*)/.exec(url)?.[1] ?? url;

const allowance = 16;
const creditEvery: Milliseconds = milliseconds(10_000);
const mostKept = 8192;
