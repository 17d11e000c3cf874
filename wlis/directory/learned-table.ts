import type { TargetUri } from '../../proxy/http/target-uri.js';
import { canonicalPath } from '../canonical-path.js';
import { canonicalUriOf } from '../canonical-uri.js';
import { originOf, type Namespace } from '../namespace.js';
import { NotCanonical } from '../not-canonical.js';

/** What is known of the namespaces of one authority, by their paths. */
interface AuthorityRow<T> {
  /** Lengths of their paths, the longest first: a target is looked up once for each. */
  lengths: readonly number[];
  /** Null for a namespace of which nothing is known but that it is there: what is in it is of no shorter one. */
  readonly byPath: Map<string, T | null>;
}

/** What is known by namespace, to be found by the target of a request: the longest namespace that it begins with counts. */
export class LearnedTable<T> {
  readonly #rows = new Map<string, AuthorityRow<T>>();
  #size = 0;

  /** Of those of which something is known. */
  get size(): number {
    return this.#size;
  }

  get(namespace: Namespace): T | undefined {
    const origin = originOf(namespace);
    return this.#rows.get(origin)?.byPath.get(namespace.slice(origin.length)) ?? undefined;
  }

  *all(): Generator<T> {
    for (const { byPath } of this.#rows.values()) for (const value of byPath.values()) if (value !== null) yield value;
  }

  *ofAuthority(origin: string): Generator<T> {
    for (const value of this.#rows.get(origin)?.byPath.values() ?? []) if (value !== null) yield value;
  }

  /** @param known by namespace; null for those of which only the names are known. Instead of all that was there before. */
  setAuthority(origin: string, known: ReadonlyMap<Namespace, T | null>): void {
    const before = this.#rows.get(origin);
    if (before !== undefined) this.#size -= countOf(before);
    if ([...known.values()].every((value) => value === null)) {
      this.#rows.delete(origin);
      return;
    }
    const byPath = new Map([...known].map(([namespace, value]) => [namespace.slice(origin.length), value] as const));
    const lengths = [...new Set([...byPath.keys()].map(({ length }) => length))].sort((a, b) => b - a);
    const row = { lengths, byPath };
    this.#rows.set(origin, row);
    this.#size += countOf(row);
  }

  /** What is known of the namespace that a target belongs to. */
  of({ scheme, authority, path }: TargetUri): T | null {
    const row = this.#rows.get(`${scheme}://${authority}`);
    if (row === undefined) return isPlainAuthority(authority) ? null : this.#ofSpelled(scheme, authority, path);
    if (isPlain(path)) return inRow(row, path);
    try {
      return inRow(row, canonicalPath(path));
    } catch (error) {
      if (error instanceof NotCanonical) return null;
      throw error;
    }
  }

  /** The same of one that is spelled in a way of its own. */
  #ofSpelled(scheme: TargetUri['scheme'], authority: string, path: string): T | null {
    try {
      const uri = canonicalUriOf(scheme, authority, path);
      const origin = originOf(uri);
      const row = this.#rows.get(origin);
      return row === undefined ? null : inRow(row, uri.slice(origin.length));
    } catch (error) {
      if (error instanceof NotCanonical) return null;
      throw error;
    }
  }
}

/** @param path in its canonical spelling */
function inRow<T>({ lengths, byPath }: AuthorityRow<T>, path: string): T | null {
  if (path.startsWith('/.well-known/')) return null;
  const query = path.indexOf('?');
  const end = query < 0 ? path.length : query;
  for (const length of lengths) {
    if (length > end || path.charCodeAt(length - 1) !== SLASH) continue;
    const value = byPath.get(path.slice(0, length));
    if (value !== undefined) return value;
  }
  return null;
}

const countOf = <T>({ byPath }: AuthorityRow<T>): number => [...byPath.values()].filter((one) => one !== null).length;

/** Without anything that has another spelling. */
const isPlain = (path: string): boolean => !/[^\w\-.~!$&()*+,;=:@/?]|\/\./.test(path);
const isPlainAuthority = (authority: string): boolean => /^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9]\d*)?$/.test(authority);

const SLASH = 47;
