import type { TargetUri } from '../../http/target-uri.js';
import { canonicalUriOf } from '../../../wlis/canonical-uri.js';
import type { Namespace } from '../../../wlis/namespace.js';
import { NamespaceTable } from '../../../wlis/namespace-table.js';
import { NotCanonical } from '../../../wlis/not-canonical.js';

/** What is known by namespace, to be found by the target of a request. A node has few namespaces. */
export class HeldTable<T> {
  readonly #table = new NamespaceTable<T>();
  /** By scheme and authority, the longest namespace first. */
  readonly #byOrigin = new Map<string, readonly (readonly [path: string, value: T])[]>();
  readonly #all: readonly (readonly [Namespace, T])[];

  constructor(all: Iterable<readonly [Namespace, T]>) {
    this.#all = [...all].sort(([a], [b]) => b.length - a.length);
    for (const [namespace, value] of this.#all) {
      this.#table.set(namespace, value);
      const path = namespace.indexOf('/', namespace.indexOf('//') + 2);
      const origin = namespace.slice(0, path);
      this.#byOrigin.set(origin, [...(this.#byOrigin.get(origin) ?? []), [namespace.slice(path), value]]);
    }
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  get(namespace: Namespace): T | undefined {
    return this.#table.get(namespace);
  }

  /** What is known of the namespace that a target belongs to. */
  of({ scheme, authority, path }: TargetUri): T | null {
    const known = this.#byOrigin.get(`${scheme}://${authority}`);
    if (known !== undefined && isPlain(path)) {
      if (path.startsWith('/.well-known/')) return null;
      return known.find(([begin]) => path.startsWith(begin))?.[1] ?? null;
    }
    // spelled in a way of its own
    try {
      return this.#table.of(canonicalUriOf(scheme, authority, path)) ?? null;
    } catch (error) {
      if (error instanceof NotCanonical) return null;
      throw error;
    }
  }

  [Symbol.iterator](): Iterator<readonly [Namespace, T]> {
    return this.#all[Symbol.iterator]();
  }
}

/** Without anything that has another spelling. */
const isPlain = (path: string): boolean => !/[^\w\-.~!$&()*+,;=:@/?]|\/\./.test(path);
