import type { Duplex } from 'node:stream';
import { formatListenAddress } from '../../config/network-name.js';
import type { Listener } from '../../config/value-types.js';
import type { AccessPolicy, Permission } from '../access/access-policy.js';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import { finalAnswerHere, outgoingFields } from '../forward/intermediary.js';
import type { Upstream } from '../forward/upstream.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import { madeOnce, type Route } from '../cache/visit.js';
import type { Request, Response } from '../http/message.js';
import type { ConnectRequest, RequestHandler } from '../http/request-handler.js';
import type { NodeIdentity } from '../http/via.js';
import { helpPage } from './help-page.js';
import { performPurge } from './purge-method.js';
import type { Visitors } from './replication/visitors.js';
import type { Takeovers } from './takeovers.js';

export interface ClientSideOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly cache: CachingHandler;
  readonly upstream: Upstream;
  readonly takeovers: Takeovers;
  readonly access: AccessPolicy;
  readonly visitors: Visitors;
  /** What the help page tells of the other sides; null where they are not open. */
  readonly site: Listener | null;
  readonly admin: Listener | null;
}

/** The forward proxy: absolute-form requests, CONNECT, Upgrade, and its own pages for whoever looks in. */
export class ClientSide implements RequestHandler {
  constructor(private readonly options: ClientSideOptions) {}

  request(request: Request): Response | Promise<Response> {
    const { access } = this.options;
    if (request.form !== 'absolute') {
      access.admitClient(request.client);
      return this.#ownPage(request);
    }
    const permission = access.admit(request);
    return permission instanceof Promise
      ? permission.then((permitted) => this.#answer(request, permitted))
      : this.#answer(request, permission);
  }

  connect(request: ConnectRequest, socket: Duplex, head: Buffer): void {
    this.options.takeovers.tunnel(request, socket, head, () => this.options.access.admit(request));
  }

  upgrade(request: Request, socket: Duplex, head: Buffer): boolean {
    if (request.form !== 'absolute') return false;
    const { identity, clock, access, takeovers } = this.options;
    takeovers.upgrade(request, socket, head, async () => {
      await access.admit(request);
      finalAnswerHere(request, identity, clock.now());
      return this.#routeOf(request).outgoing();
    });
    return true;
  }

  #answer(request: Request, permission: Permission): Response | Promise<Response> {
    const { identity, clock, cache, visitors } = this.options;
    if (request.method === 'PURGE' && permission.kind === 'allow' && permission.purges) {
      return performPurge(request, request.target, { cache, clock });
    }
    return (
      finalAnswerHere(request, identity, clock.now()) ??
      visitors.answer(request, request.target, identity) ??
      cache.handle(request, this.#routeOf(request))
    );
  }

  /** What is asked of the proxy itself. */
  #ownPage(request: Request): Response {
    const { identity, clock, site, admin } = this.options;
    if (request.target.path !== '/') throw new WillisError('not-found', 'the proxy itself has only a help page');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new WillisError('method-not-allowed', 'the help page can only be read');
    }
    const facts = { name: identity.name, proxy: request.target.authority, site: urlOf(site), admin: urlOf(admin) };
    return helpPage(request, facts, clock.now());
  }

  #routeOf(request: Request): Route {
    const { upstream, identity } = this.options;
    const { target } = request;
    const outgoing = madeOnce(() => ({ target, fields: outgoingFields(request, identity, target.authority) }));
    return { scope: '', actsForOrigin: false, upstream, outgoing };
  }
}

const urlOf = (listener: Listener | null): string | null =>
  listener && `${listener.tls === null ? 'http' : 'https'}://${formatListenAddress(listener.address)}/`;
