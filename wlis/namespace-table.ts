import type { CanonicalUri } from './canonical-uri.js';
import { isInside, originOf, type Namespace } from './namespace.js';

/** What is known by namespace; a URI belongs to the longest one that it begins with. */
export class NamespaceTable<T> {
  readonly #byOrigin = new Map<string, Map<string, T>>();

  get(space: Namespace): T | undefined {
    return this.#byOrigin.get(originOf(space))?.get(space);
  }

  set(space: Namespace, value: T): void {
    const origin = originOf(space);
    const known = this.#byOrigin.get(origin);
    if (known === undefined) this.#byOrigin.set(origin, new Map([[space, value]]));
    else known.set(space, value);
  }

  delete(space: Namespace): boolean {
    const origin = originOf(space);
    const known = this.#byOrigin.get(origin);
    if (known?.delete(space) !== true) return false;
    if (known.size === 0) this.#byOrigin.delete(origin);
    return true;
  }

  /** What is known of the namespace that a document belongs to. Its cost grows with the slashes in the URI alone. */
  of(uri: CanonicalUri): T | undefined {
    const known = this.#byOrigin.get(originOf(uri));
    if (known === undefined) return undefined;
    const query = uri.indexOf('?');
    let slash = uri.lastIndexOf('/', query < 0 ? undefined : query);
    for (; slash > lastOfScheme; slash = uri.lastIndexOf('/', slash - 1)) {
      const space = uri.slice(0, slash + 1) as Namespace;
      const value = known.get(space);
      if (value !== undefined) return isInside(space, uri) ? value : undefined;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<readonly [Namespace, T]> {
    for (const known of this.#byOrigin.values()) {
      for (const [space, value] of known) yield [space as Namespace, value];
    }
  }
}

/** Where the second slash of `https://` stands; that of `http://` stands before it. */
const lastOfScheme = 7;
