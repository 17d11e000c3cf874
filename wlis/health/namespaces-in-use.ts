import { elapsedMonotonic, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { Namespace } from '../namespace.js';

/** Of which namespaces something was asked of late. */
export class NamespacesInUse {
  readonly #most: number;
  /** Those that were used last at the end. */
  readonly #used = new Map<Namespace, { readonly known: KnownNamespace; readonly at: MonotonicMs }>();

  constructor(most = 256) {
    this.#most = most;
  }

  used(known: KnownNamespace, at: MonotonicMs): void {
    const { namespace } = known;
    this.#used.delete(namespace);
    const [oldest] = this.#used.keys();
    if (this.#used.size >= this.#most && oldest !== undefined) this.#used.delete(oldest);
    this.#used.set(namespace, { known, at });
  }

  /** Those that were used within a time, the last one first; the others are forgotten. */
  within(time: Milliseconds, now: MonotonicMs): KnownNamespace[] {
    for (const [namespace, { at }] of this.#used) {
      if (elapsedMonotonic(at, now) > time) this.#used.delete(namespace);
    }
    return [...this.#used.values()].map(({ known }) => known).reverse();
  }
}
