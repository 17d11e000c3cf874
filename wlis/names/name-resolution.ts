import type { Namespace } from '../namespace.js';
import { hostOfName, isLogicalHost, logicalNameOf, patternsOf, type LogicalName } from './logical-name.js';
import { PROXY_NAME } from './proxy-host.js';

/** Somebody who gives names to namespaces. */
export interface NameSource {
  /** Who it is, as messages call him. */
  readonly by: string;
  /** What he has named so: a name, or a wildcard such as `*.docs`. */
  find(pattern: string): Namespace | null;
}

export type NameResolution =
  /** A URI that ends in `/`, of a host that is no name, in that namespace; `by` gave the first of the names. */
  | {
      readonly kind: 'found';
      readonly base: Namespace;
      readonly namespace: Namespace;
      readonly pattern: string;
      readonly by: string;
    }
  /** Nobody has given this name; it is another one than was asked for if that one led to it. */
  | { readonly kind: 'unknown'; readonly host: string }
  /** The names that lead to each other, the first one again at the end. */
  | { readonly kind: 'circle'; readonly names: readonly LogicalName[] }
  /** More names lead to each other than anybody needs. */
  | { readonly kind: 'too-long'; readonly names: readonly LogicalName[] };

/**
 * What a name stands for. Whoever stands first among the sources counts, so that nobody takes a name out of what another
 * one before him has named; of what one of them has named, what fits best counts. The labels that a star stands for become
 * segments of the path, the most significant one first: where `*.docs` is `http://x/`, `a.b.docs` is `http://x/b/a/`. A name
 * may be for what is named itself.
 */
export function resolveName(name: LogicalName, sources: readonly NameSource[]): NameResolution {
  const names = [name];
  let first: Entry | null = null;
  let inside = '';
  for (let at = name; ;) {
    // nobody can give it to anything
    const entry = at === PROXY_NAME ? null : entryFor(at, sources);
    if (entry === null) return { kind: 'unknown', host: hostOfName(at) };
    first ??= entry;
    const base = entry.namespace + entry.rest.toReversed().map(asSegment).join('') + inside;
    const { host, port, path } = partsOf(base);
    if (!isLogicalHost(host)) {
      const { pattern, by } = first;
      return { kind: 'found', base: base as Namespace, namespace: entry.namespace, pattern, by };
    }
    const next = logicalNameOf(host);
    // a name has no port and no certificate
    if (next === null || port !== '' || base.startsWith('https:')) return { kind: 'unknown', host: host + port };
    if (names.includes(next)) return { kind: 'circle', names: [...names.slice(names.indexOf(next)), next] };
    names.push(next);
    if (names.length > mostNames) return { kind: 'too-long', names };
    inside = path.slice(1);
    at = next;
  }
}

interface Entry {
  readonly namespace: Namespace;
  readonly rest: readonly string[];
  readonly pattern: string;
  readonly by: string;
}

function entryFor(name: LogicalName, sources: readonly NameSource[]): Entry | null {
  for (const source of sources) {
    for (const { pattern, rest } of patternsOf(name)) {
      const namespace = source.find(pattern);
      if (namespace !== null) return { namespace, rest, pattern, by: source.by };
    }
  }
  return null;
}

const asSegment = (label: string): string => `${label}/`;

/** Of a canonical URI; the port with its colon. */
function partsOf(uri: string): { readonly host: string; readonly port: string; readonly path: string } {
  const [, host = '', port = '', path = ''] = /^https?:\/\/(\[[^\]]*\]|[^:/]*)(:\d+)?(.*)$/s.exec(uri) ?? [];
  return { host, port, path };
}

const mostNames = 8;
