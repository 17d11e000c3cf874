import type { Duplex } from 'node:stream';
import type { Site } from '../../config/schema.js';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import { madeOnce, type Route } from '../cache/visit.js';
import { finalAnswerHere, outgoingFields } from '../forward/intermediary.js';
import { MappedUpstream, mapTarget } from '../forward/mapped-upstream.js';
import type { Upstream } from '../forward/upstream.js';
import { plusForwarded } from '../http/forwarded.js';
import type { Request, Response } from '../http/message.js';
import type { ConnectRequest, RequestHandler } from '../http/request-handler.js';
import { hrefOf, originOf, type TargetUri } from '../http/target-uri.js';
import { resolveReference } from '../http/uri-reference.js';
import type { NodeIdentity } from '../http/via.js';
import type { Takeovers } from './takeovers.js';

export interface ReverseSideOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly cache: CachingHandler;
  readonly upstream: Upstream;
  readonly takeovers: Takeovers;
  readonly sites: readonly Site[];
  /** Whether what a peer of that address says in Forwarded and X-Forwarded-* is believed. */
  readonly trusts: (address: string) => boolean;
}

/** The public side: what `sites` lists, each from its origin server. */
export class ReverseSide implements RequestHandler {
  /** Longest prefix first. */
  readonly #sites: readonly Site[];

  constructor(private readonly options: ReverseSideOptions) {
    this.#sites = options.sites.toSorted((a, b) => b.prefix.length - a.prefix.length);
  }

  request(request: Request): Response | Promise<Response> {
    const { identity, clock, cache } = this.options;
    const final = finalAnswerHere(request, identity, clock.now());
    return final ?? cache.handle(request, this.#routeOf(request));
  }

  connect(request: ConnectRequest, socket: Duplex): void {
    this.options.takeovers.refuse(request, socket, new WillisError('method-not-allowed', 'this side opens no tunnels'));
  }

  upgrade(request: Request, socket: Duplex, head: Buffer): boolean {
    const { identity, clock, takeovers } = this.options;
    takeovers.upgrade(request, socket, head, () => {
      finalAnswerHere(request, identity, clock.now());
      return this.#routeOf(request).outgoing();
    });
    return true;
  }

  #routeOf(request: Request): Route {
    const target = withoutDotSegments(request.target);
    const site = this.#siteOf(target);
    const { identity, trusts } = this.options;
    const { prefix, origin, sendHost } = site;
    if (origin.path !== '/' && climbs(target.path)) throw new WillisError('bad-request', 'ambiguous dot segments');
    const mapping = { publicOrigin: originOf(target), publicPrefix: prefix, origin };
    const outgoing = madeOnce(() => {
      const fields = outgoingFields(request, identity, sendHost === 'client' ? target.authority : origin.authority);
      const { address, secure } = request.client;
      const hop = { peer: address, secure, host: target.authority, trusted: trusts(address) };
      return { target: mapTarget(target, prefix, origin), fields: plusForwarded(fields, hop) };
    });
    const upstream = new MappedUpstream(this.options.upstream, mapping);
    return { scope: 'site', actsForOrigin: true, upstream, outgoing };
  }

  /** @throws WillisError `misdirected` for a host, `not-found` for a path that no site has */
  #siteOf(target: TargetUri): Site {
    const ofHost = this.#sites.filter(({ host }) => host === target.host);
    const candidates = ofHost.length > 0 ? ofHost : this.#sites.filter(({ host }) => host === '*');
    if (candidates.length === 0) throw new WillisError('misdirected', `no site is called ${target.host}`);
    const site = candidates.find(({ prefix }) => target.path === '*' || target.path.startsWith(prefix));
    if (site === undefined) throw new WillisError('not-found', `no site has ${hrefOf(target)}`);
    return site;
  }
}

/** So that no path leads out of the part of an origin server that a prefix stands for (RFC 3986 §6.2.2.3). */
function withoutDotSegments(target: TargetUri): TargetUri {
  if (!dotSegment.test(target.path)) return target;
  const [path = '', ...query] = target.path.split('?');
  const plain = path.replace(/%2e/gi, '.');
  // with its authority, for a path that begins with two slashes would be taken for one
  return resolveReference(target, originOf(target) + [plain, ...query].join('?')) ?? target;
}

const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/**
 * Whether a path has a `..` that is a dot segment to some origin servers only: to those that take `%2F`, a backslash or its
 * encoding for a slash, or parameters off a segment.
 */
const climbs = (path: string): boolean => looseDotSegment.test(path.replace(/\?.*$/, ''));

const looseDotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:;|[/\\]|%2f|%5c|$)/i;
