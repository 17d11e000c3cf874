import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config, Listener } from '../../config/schema.js';
import { createAccessLog, type AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { CachingHandler } from '../cache/caching-handler.js';
import { MemoryStore } from '../cache/memory-store.js';
import type { ResponseStore } from '../cache/response-store.js';
import { addressTest } from '../forward/address-test.js';
import { DialGuard } from '../forward/dial-guard.js';
import { HttpUpstream } from '../forward/http-upstream.js';
import type { RequestHandler } from '../http/request-handler.js';
import { HttpServer } from '../http/server.js';
import type { TlsCertificate } from '../http/tls-certificates.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { ClientSide } from './client-side.js';
import { Exchanges } from './exchanges.js';
import { OperatorSide } from './operator-side.js';
import { ReverseSide } from './reverse-side.js';
import { Takeovers } from './takeovers.js';

export type ListenerName = 'proxy' | 'site' | 'admin';

/** A Willis. `start` and `stop` are idempotent; `stop` lets requests under way finish. */
export interface Node {
  /** @throws the error of a listener that cannot be opened, its name in the message; then nothing is left open */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Reads the certificate files again. @throws Error, and the old ones stay in use */
  reloadCertificates(): Promise<void>;
  readonly listening: readonly { readonly name: ListenerName; readonly url: string }[];
}

export interface NodeOptions {
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Puts a node together from its configuration. @throws Error if a file that the configuration names is unusable */
export function buildNode(config: Config, options: NodeOptions): Node {
  const { logger } = options;
  const identity: NodeIdentity = { name: config.node.name, instance: randomBytes(4).toString('hex') };
  const accessLog = createAccessLog(config.log.access, (error) =>
    logger.error({ error }, 'the access log cannot be written'),
  );
  const store = new MemoryStore({
    limit: config.cache.memory,
    maxDocument: config.cache.maxDocument,
    variants: config.cache.variants,
  });
  const parts = {
    ...options,
    config,
    identity,
    accessLog,
    store,
    cache: cachingHandler(config, identity, store, options),
  };
  const sides = [clientSide(parts), reverseSide(parts), operatorSide(parts)].filter((side) => side !== null);
  return new ComposedNode(sides, { config, logger, accessLog, store });
}

interface Parts extends NodeOptions {
  readonly config: Config;
  readonly identity: NodeIdentity;
  readonly accessLog: AccessLog;
  readonly store: ResponseStore;
  readonly cache: CachingHandler;
}

interface Side {
  readonly name: ListenerName;
  readonly listener: Listener;
  readonly server: HttpServer;
  readonly upstream: HttpUpstream | null;
}

function cachingHandler(
  config: Config,
  identity: NodeIdentity,
  store: ResponseStore,
  { logger, clock }: NodeOptions,
): CachingHandler {
  const { heuristicFraction, heuristicMax, negative, collapseWait } = config.cache;
  return new CachingHandler({
    store,
    clock,
    logger,
    name: identity.name,
    via: (version) => viaEntry(version, identity),
    freshness: { heuristicFraction, heuristicMax, negative },
    collapseWait,
  });
}

function clientSide(parts: Parts): Side | null {
  const { config } = parts;
  if (!config.roles.includes('clientSide') || config.listen.proxy === null) return null;
  // what clients name is judged by the address that it resolves to
  const guard = new DialGuard(config.access.destinations);
  const upstream = upstreamBehind(guard, parts);
  const exchanges = new Exchanges({ ...parts, concealUpstream: false });
  const takeovers = takeoversBehind(guard, exchanges, parts);
  const admits = addressTest(config.access.clients);
  const { site, admin } = config.listen;
  const handler = new ClientSide({ ...parts, upstream, takeovers, admits, site, admin });
  return {
    name: 'proxy',
    listener: config.listen.proxy,
    upstream,
    server: serverOf('proxy', config.listen.proxy, handler, exchanges, parts),
  };
}

function reverseSide(parts: Parts): Side | null {
  const { config } = parts;
  if (config.listen.site === null) return null;
  // an origin that the operator configured is dialled wherever it is
  const guard = new DialGuard({ allow: [], deny: [] });
  const upstream = upstreamBehind(guard, parts);
  const exchanges = new Exchanges({ ...parts, concealUpstream: true });
  const takeovers = takeoversBehind(guard, exchanges, parts);
  const trusts = addressTest(config.access.trustedProxies);
  const handler = new ReverseSide({ ...parts, upstream, takeovers, sites: config.sites, trusts });
  return {
    name: 'site',
    listener: config.listen.site,
    upstream,
    server: serverOf('site', config.listen.site, handler, exchanges, parts),
  };
}

function operatorSide(parts: Parts): Side | null {
  const { config } = parts;
  if (config.listen.admin === null) return null;
  const exchanges = new Exchanges({ ...parts, concealUpstream: false });
  const takeovers = takeoversBehind(new DialGuard({ allow: [], deny: [] }), exchanges, parts);
  const handler = new OperatorSide({ ...parts, takeovers, admits: addressTest(config.access.clients) });
  return {
    name: 'admin',
    listener: config.listen.admin,
    upstream: null,
    server: serverOf('admin', config.listen.admin, handler, exchanges, parts),
  };
}

function serverOf(
  name: ListenerName,
  listener: Listener,
  handler: RequestHandler,
  exchanges: Exchanges,
  { config, clock, logger }: Parts,
): HttpServer {
  return new HttpServer({
    name,
    address: listener.address,
    tls: listener.tls && { certificates: readCertificates(listener) },
    limits: config.limits,
    clock,
    logger,
    handler,
    onRefused: (error, context) => exchanges.onRefused(error, context),
    onFinished: (request, response, outcome) => exchanges.onFinished(request, response, outcome),
  });
}

const upstreamBehind = (guard: DialGuard, { config, logger }: Parts): HttpUpstream =>
  new HttpUpstream({ ...config.upstream, ca: readAuthorities(config), guard, logger });

function takeoversBehind(guard: DialGuard, exchanges: Exchanges, { config, clock, identity }: Parts): Takeovers {
  const { upstream, access, limits } = config;
  const { idleTimeout } = limits;
  const via = viaEntry('1.1', identity);
  const ca = readAuthorities(config);
  return new Takeovers({ guard, ca, clock, exchanges, upstream, idleTimeout, connectPorts: access.connectPorts, via });
}

const readAuthorities = (config: Config): string[] => config.upstream.ca.map((file) => readFileSync(file, 'utf8'));

const readCertificates = ({ tls }: Listener): TlsCertificate[] =>
  (tls ?? []).map(({ cert, key }) => ({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }));

class ComposedNode implements Node {
  readonly #sides: readonly Side[];
  readonly #rest: { config: Config; logger: Logger; accessLog: AccessLog; store: ResponseStore };
  #listening: { name: ListenerName; url: string }[] = [];
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    sides: readonly Side[],
    rest: { config: Config; logger: Logger; accessLog: AccessLog; store: ResponseStore },
  ) {
    this.#sides = sides;
    this.#rest = rest;
  }

  get listening(): readonly { readonly name: ListenerName; readonly url: string }[] {
    return this.#listening;
  }

  start(): Promise<void> {
    return (this.#started ??= this.#start());
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  reloadCertificates(): Promise<void> {
    // all are read and checked before any is put to use
    const read = this.#sides.filter(({ listener }) => listener.tls !== null);
    const certificates = read.map(({ listener }) => readCertificates(listener));
    for (const [i, { server }] of read.entries()) server.setCertificates(certificates[i] ?? []);
    return Promise.resolve();
  }

  async #start(): Promise<void> {
    for (const { name, listener, server } of this.#sides) {
      try {
        const { host, port } = await server.listen();
        const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        this.#listening.push({ name, url: `${listener.tls === null ? 'http' : 'https'}://${authority}/` });
      } catch (error) {
        await this.stop();
        if (error instanceof Error) error.message = `listen.${name}: ${error.message}`;
        throw error;
      }
    }
  }

  async #stop(): Promise<void> {
    const { config, accessLog, store } = this.#rest;
    await Promise.all(this.#sides.map(({ server }) => server.close(config.limits.drainTimeout)));
    await Promise.all(this.#sides.map(({ upstream }) => upstream?.close() ?? Promise.resolve()));
    await store.close();
    await accessLog.close();
    this.#listening = [];
  }
}
