import type { Duplex } from 'node:stream';
import { formatListenAddress } from '../../config/network-name.js';
import type { Listener } from '../../config/side-keys.js';
import type { AccessPolicy, Permission } from '../access/access-policy.js';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import { finalAnswerHere, outgoingFields } from '../forward/intermediary.js';
import type { Upstream } from '../forward/upstream.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import { madeOnce, type Route } from '../cache/visit.js';
import type { Request, Response } from '../http/message.js';
import { hrefOf, type TargetUri } from '../http/target-uri.js';
import type { ConnectRequest, RequestHandler } from '../http/request-handler.js';
import type { NodeIdentity } from '../http/via.js';
import { isProxyHost } from '../../wlis/names/proxy-host.js';
import { isPacPath } from '../../wlis/pac/pac-page.js';
import { helpPage } from './help-page.js';
import { performPurge } from './purge-method.js';
import type { PacSource } from './finding/pac-source.js';
import type { Reading, TargetReading } from './finding/target-reading.js';
import type { Visitors } from './replication/visitors.js';
import type { Takeovers } from './takeovers.js';
import type { ClientPages } from './views/client-pages.js';
import type { ProxyPages } from './views/proxy-pages.js';

export interface ClientSideOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly cache: CachingHandler;
  readonly upstream: Upstream;
  readonly takeovers: Takeovers;
  readonly access: AccessPolicy;
  readonly visitors: Visitors;
  readonly reading: TargetReading;
  readonly pac: PacSource;
  /** How pages are answered, and by whom. */
  readonly pages: ClientPages;
  /** What is at the host that is the proxy's own. */
  readonly own: ProxyPages;
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
    if (isProxyHost(request.target.host)) return this.options.own.answer(request);
    const read = this.options.reading.read(request);
    if (read !== null) return this.#answerRead(request, read);
    const permission = access.admit(request);
    return permission instanceof Promise
      ? permission.then((permitted) => this.#answer(request, permitted, request.target))
      : this.#answer(request, permission, request.target);
  }

  connect(request: ConnectRequest, socket: Duplex, head: Buffer): void {
    const { access, reading, takeovers } = this.options;
    takeovers.tunnel(request, socket, head, async () => {
      await access.admit(request);
      reading.refuseTunnel(request.authority.host);
    });
  }

  upgrade(request: Request, socket: Duplex, head: Buffer): boolean {
    if (request.form !== 'absolute') return false;
    const { identity, clock, access, reading, takeovers } = this.options;
    takeovers.upgrade(request, socket, head, async () => {
      const read = reading.read(request);
      const asked = read?.kind === 'other' ? read.request : request;
      await access.admit(asked);
      if (read?.kind === 'refused') throw read.error;
      if (read?.kind === 'answered') throw new WillisError('tls-only', `${hrefOf(request.target)} is read by wss`);
      finalAnswerHere(request, identity, clock.now());
      return this.#routeOf(asked).outgoing();
    });
    return true;
  }

  /** The rules of access are about what is really asked for. */
  async #answerRead(request: Request, read: Reading): Promise<Response> {
    const { access } = this.options;
    if (read.kind !== 'other') {
      await access.admit(request);
      if (read.kind === 'refused') throw read.error;
      return read.response;
    }
    const asked = read.request;
    return read.shown(await this.#answer(asked, await access.admit(asked), request.target));
  }

  /** @param shown what the reader asked for, where that was another name */
  #answer(request: Request, permission: Permission, shown: TargetUri): Response | Promise<Response> {
    const { identity, clock, cache, visitors, pages } = this.options;
    if (request.method === 'PURGE' && permission.kind === 'allow' && permission.purges) {
      return performPurge(request, request.target, { cache, clock });
    }
    return (
      finalAnswerHere(request, identity, clock.now()) ??
      pages.answer(request, shown, {
        held: (asked) => visitors.answer(asked, asked.target, identity),
        cached: (asked, chosen) => {
          const route = this.#routeOf(asked);
          if (chosen === undefined) return cache.handle(asked, route);
          const { scope, concerns, around } = chosen;
          return cache.handle(asked, { ...route, scope, concerns, upstream: around(route.upstream) });
        },
      })
    );
  }

  /** What is asked of the proxy itself. */
  #ownPage(request: Request): Response {
    const { identity, clock, pac, site, admin } = this.options;
    if (isPacPath(request.target.path)) return pac.forClient(request);
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
