import type { Duplex } from 'node:stream';
import type { AccessPolicy } from '../access/access-policy.js';
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
import { originOf, type TargetUri } from '../http/target-uri.js';
import type { NodeIdentity } from '../http/via.js';
import { isPacPath } from '../../wlis/pac/pac-page.js';
import { climbs, withoutDotSegments } from './public-target.js';
import { performPurge } from './purge-method.js';
import type { PacSource } from './finding/pac-source.js';
import type { Visitors } from './replication/visitors.js';
import type { Sites } from './sites.js';
import type { Takeovers } from './takeovers.js';
import type { MirrorVisits } from './views/mirror-visits.js';

export interface ReverseSideOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly cache: CachingHandler;
  readonly upstream: Upstream;
  /** The way to a namespace that a site stands for. */
  readonly gatewayTo: (namespace: TargetUri) => Upstream;
  readonly takeovers: Takeovers;
  readonly sites: Sites;
  readonly access: AccessPolicy;
  readonly visitors: Visitors;
  readonly mirrors: MirrorVisits;
  readonly pac: PacSource;
  /** `https://m1.example`: `node.url`; null if there is none. */
  readonly own: string | null;
}

/** The public side: what `sites` lists, each from its origin server. */
export class ReverseSide implements RequestHandler {
  constructor(private readonly options: ReverseSideOptions) {}

  request(request: Request): Response | Promise<Response> {
    const { identity, clock, cache, access, mirrors } = this.options;
    const permission = access.admitToSite(request);
    if (request.method === 'PURGE' && permission.kind === 'allow' && permission.purges) {
      return performPurge(request, withoutDotSegments(request.target), { cache, clock });
    }
    return (
      finalAnswerHere(request, identity, clock.now()) ??
      mirrors.answer(request) ??
      this.#ofNamespace(request) ??
      this.#pac(request) ??
      cache.handle(request, this.#routeOf(request))
    );
  }

  /** What belongs to a namespace that is held here, under its own name or under that of a site; and calls of other nodes. */
  #ofNamespace(request: Request): Response | Promise<Response> | null {
    const { visitors, sites, identity, access } = this.options;
    if (visitors.holdsNothing) return null;
    const site = sites.find(request.target);
    if (visitors.isCall(request, site !== null)) {
      return visitors.call(request, access.targetOf(request).scheme);
    }
    const own = visitors.answer(request, access.targetOf(request), identity);
    if (own !== null || site === null || request.target.path === '*') return own;
    return visitors.answer(request, mapTarget(withoutDotSegments(request.target), site.prefix, site.origin), identity);
  }

  /** Own paths exist under the authority of `node.url` alone, and what is served there comes first (decision 6). */
  #pac(request: Request): Response | null {
    const { own, pac, sites, access } = this.options;
    if (!isPacPath(request.target.path) || originOf(access.targetOf(request)) !== own) return null;
    return sites.find(request.target) === null ? pac.forVisitor(request) : null;
  }

  /** Tunnels lead only to the primaries of namespaces of https that are held here (protocol, rule 7). */
  connect(request: ConnectRequest, socket: Duplex, head: Buffer): void {
    const { takeovers, visitors } = this.options;
    if (visitors.leadsTo(request.authority)) takeovers.tunnel(request, socket, head, () => 'any-port');
    else takeovers.refuse(request, socket, new WillisError('method-not-allowed', 'this side opens no tunnels'));
  }

  upgrade(request: Request, socket: Duplex, head: Buffer): boolean {
    const { identity, clock, access, takeovers, mirrors } = this.options;
    if (mirrors.isFor(request)) return false;
    takeovers.upgrade(request, socket, head, () => {
      access.admitToSite(request);
      finalAnswerHere(request, identity, clock.now());
      return this.#routeOf(request).outgoing();
    });
    return true;
  }

  #routeOf(request: Request): Route {
    const target = withoutDotSegments(request.target);
    const { identity, access, sites } = this.options;
    const site = sites.serving(target);
    request.record.site = sites.nameOf(site);
    const { prefix, origin, sendHost } = site;
    if (origin.path !== '/' && climbs(target.path)) throw new WillisError('bad-request', 'ambiguous dot segments');
    const mapping = { publicOrigin: originOf(target), publicPrefix: prefix, origin };
    const outgoing = madeOnce(() => {
      const fields = outgoingFields(request, identity, sendHost === 'client' ? target.authority : origin.authority);
      const { address, secure } = request.client;
      const hop = { peer: address, secure, host: target.authority, trusted: access.trusts(address) };
      return { target: mapTarget(target, prefix, origin), fields: plusForwarded(fields, hop) };
    });
    const { upstream: direct, gatewayTo } = this.options;
    const upstream = new MappedUpstream(site.isNamespace ? gatewayTo(origin) : direct, mapping);
    return { scope: 'site', actsForOrigin: true, upstream, outgoing };
  }
}
