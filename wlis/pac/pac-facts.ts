import type { Config } from '../../config/schema.js';
import { formatListenAddress } from '../../config/network-name.js';
import type { Candidate } from '../choice/choice.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import { originOf, type Namespace } from '../namespace.js';
import { isLocalHost } from './local-hosts.js';
import type { PacFacts, PacNamespace, PacProxy } from './pac-file.js';

export interface PacState {
  readonly keys: Config['clientSide']['pac'];
  /** This node as the browser reaches it; null if it is no proxy for it. */
  readonly self: PacProxy | null;
  /** What may be told of, what was used last first. */
  readonly namespaces: Iterable<KnownNamespace>;
  /** Members of a group in the order in which this node would ask them. */
  readonly order: (known: KnownNamespace) => readonly Candidate[];
}

/**
 * What is to be written into a file for a browser now; null if there is nothing to be said, or the browser would be left
 * without any way.
 */
export function pacFacts({ keys, self, namespaces, order }: PacState): PacFacts | null {
  const proxies = keys.proxies.flatMap((one): PacProxy[] => {
    if (one !== 'self') return [{ authority: formatListenAddress(one), secure: false }];
    return self === null ? [] : [self];
  });
  const told: PacNamespace[] = [];
  for (const known of namespaces) {
    const { namespace } = known;
    // of https a browser tells no more than the host, and asks proxies for tunnels only
    if (!namespace.startsWith('http:')) continue;
    const replicas = keys.namespaces === 'viaReplicas' ? delegates(known, order(known)) : [];
    // the others are like their hosts
    if (replicas.length === 0 && keys.direct !== 'always' && !isLocalHost(hostOf(namespace))) continue;
    told.push({ namespace, replicas });
    if (told.length === mostNamespaces) break;
  }
  if (proxies.length === 0 && (keys.direct === 'never' || told.length === 0)) return null;
  return { proxies, direct: keys.direct, exceptions: keys.exceptions, namespaces: told.sort(byName) };
}

/**
 * Replicas that may stand for the host of a namespace: approved as such, since they see credentials (decision 4). One that
 * holds a part only may have nobody to ask for the rest. If all look down, all are named.
 */
function delegates({ group: { group } }: KnownNamespace, candidates: readonly Candidate[]): PacProxy[] {
  const approved = group.replicas.filter(({ delegate, subset }) => delegate && subset === null);
  const usable = candidates.filter(({ url }) => approved.some(({ urls }) => urls.includes(url)));
  const well = usable.filter(({ health }) => health.breaker !== 'open');
  return (well.length > 0 ? well : usable).slice(0, mostReplicas).map(({ url }) => proxyAt(url));
}

/** Of `https://m1.example`. */
function proxyAt(url: string): PacProxy {
  const secure = url.startsWith('https:');
  const authority = url.slice(url.indexOf('//') + 2);
  const port = /:\d+$/.test(authority) ? '' : secure ? ':443' : ':80';
  return { authority: authority + port, secure };
}

function hostOf(namespace: Namespace): string {
  const authority = originOf(namespace).slice('http://'.length);
  return authority.replace(/:\d+$/, '');
}

/** So that the file changes only when what it says does. */
const byName = (a: PacNamespace, b: PacNamespace): number => (a.namespace < b.namespace ? -1 : 1);

const mostNamespaces = 1000;
const mostReplicas = 8;
