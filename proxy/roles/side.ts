import { readFileSync } from 'node:fs';
import type { Config, Listener } from '../../config/schema.js';
import type { AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { DialGuard } from '../forward/dial-guard.js';
import { HttpUpstream } from '../forward/http-upstream.js';
import type { RequestHandler } from '../http/request-handler.js';
import { HttpServer } from '../http/server.js';
import type { TlsCertificate } from '../http/tls-certificates.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { Exchanges } from './exchanges.js';
import { Takeovers } from './takeovers.js';

export type ListenerName = 'proxy' | 'site' | 'admin';

/** One listener of a node with all that is behind it. */
export interface Side {
  readonly name: ListenerName;
  readonly listener: Listener;
  readonly server: HttpServer;
  readonly upstream: HttpUpstream;
  readonly takeovers: Takeovers;
}

/** What all sides of a node share. */
export interface Shared {
  readonly config: Config;
  readonly identity: NodeIdentity;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly accessLog: AccessLog;
}

export interface SideOptions {
  readonly name: ListenerName;
  readonly listener: Listener;
  /** Where connections may be made to on behalf of this side's clients. */
  readonly guard: DialGuard;
  /** Whether its clients are strangers, to whom error answers tell nothing of what is behind the node. */
  readonly facesStrangers: boolean;
  readonly handler: (way: { readonly upstream: HttpUpstream; readonly takeovers: Takeovers }) => RequestHandler;
}

/** @throws Error if a certificate or authority file is unusable */
export function buildSide(shared: Shared, options: SideOptions): Side {
  const { config, identity, logger, clock } = shared;
  const { name, listener, guard } = options;
  const ca = config.upstream.ca.map((file) => readFileSync(file, 'utf8'));
  const upstream = new HttpUpstream({ ...config.upstream, ca, guard, logger });
  const exchanges = new Exchanges({ ...shared, concealUpstream: options.facesStrangers });
  const takeovers = new Takeovers({
    guard,
    ca,
    clock,
    exchanges,
    upstream: config.upstream,
    idleTimeout: config.limits.idleTimeout,
    connectPorts: config.access.connectPorts,
    via: viaEntry('1.1', identity),
  });
  const server = new HttpServer({
    name,
    address: listener.address,
    tls: listener.tls && { certificates: readCertificates(listener) },
    limits: config.limits,
    clock,
    logger,
    handler: options.handler({ upstream, takeovers }),
    onRefused: (error, context) => exchanges.onRefused(error, context),
    onFinished: (request, response, outcome) => exchanges.onFinished(request, response, outcome),
  });
  return { name, listener, server, upstream, takeovers };
}

/** @throws Error if a file cannot be read */
export const readCertificates = ({ tls }: Listener): TlsCertificate[] =>
  (tls ?? []).map(({ cert, key }) => ({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }));
