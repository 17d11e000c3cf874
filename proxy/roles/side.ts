import type { Config } from '../../config/schema.js';
import type { Listener } from '../../config/side-keys.js';
import type { AccessPolicy } from '../access/access-policy.js';
import type { AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { DialGuardOptions } from '../forward/dial-guard.js';
import type { HttpUpstream } from '../forward/http-upstream.js';
import { addressTest } from '../http/address-test.js';
import type { RequestHandler } from '../http/request-handler.js';
import { RequestRate } from '../http/request-rate.js';
import type { ServerSettings } from '../http/server.js';
import { CertificateSet } from '../http/tls-certificates.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { Exchanges, type ExchangesOptions } from './exchanges.js';
import type { FileContents } from './file-contents.js';
import type { ListenerName } from './listeners.js';
import type { NodeMetrics } from './node-metrics.js';
import { RateLimited, type CountsFor } from './rate-limited.js';
import { RefusedConfiguration } from './refused-configuration.js';
import type { Visitors } from './replication/visitors.js';
import type { TakenOver } from './taken-over.js';
import { Takeovers } from './takeovers.js';
import { wayFor, type Way } from './way.js';

/** One listener of a node, and what is behind it under one configuration. */
export interface Side {
  readonly name: ListenerName;
  readonly listener: Listener;
  readonly settings: ServerSettings;
  readonly way: Way;
  readonly certificates: Certificates | null;
}

/** What all sides of a node share under one configuration. */
export interface Shared {
  readonly config: Config;
  readonly files: FileContents;
  readonly identity: NodeIdentity;
  readonly access: AccessPolicy;
  readonly visitors: Visitors;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly accessLog: AccessLog;
  readonly takenOver: TakenOver;
  readonly metrics: NodeMetrics;
}

export interface SideOptions {
  readonly name: ListenerName;
  readonly listener: Listener;
  /** Where connections may be made to on behalf of this side's clients. */
  readonly destinations: DialGuardOptions;
  /** Whether its clients are strangers, to whom error answers tell nothing of what is behind the node. */
  readonly facesStrangers: boolean;
  /** The same side under the configuration before; null if there was none. */
  readonly before: Side | null;
  /** Clients that may have any number of connections. */
  readonly isExempt: (address: string) => boolean;
  /** Whose requests are counted where there is a limit to them. */
  readonly countsFor: CountsFor;
  readonly clientOf: ExchangesOptions['clientOf'];
  readonly handler: (way: { readonly upstream: HttpUpstream; readonly takeovers: Takeovers }) => RequestHandler;
}

interface Certificates {
  readonly set: CertificateSet;
  readonly madeFrom: string;
}

/** Builds a side anew, but for what can be kept of the one before. @throws RefusedConfiguration */
export function buildSide(shared: Shared, options: SideOptions): Side {
  const { config, files, identity, logger, clock, accessLog, takenOver, metrics } = shared;
  const { name, listener, destinations, before } = options;
  const via = viaEntry('1.1', identity);
  const way = wayFor(config, files, {
    ...{ destinations, via, logger },
    metrics: metrics.upstream,
    before: before?.way ?? null,
  });
  const exchanges = new Exchanges({
    ...{ identity, clock, logger, accessLog },
    metrics: metrics.exchanges,
    side: name,
    clientOf: options.clientOf,
    concealUpstream: options.facesStrangers,
  });
  const takeovers = new Takeovers({
    dialler: way.dialler,
    identity,
    clock,
    exchanges,
    takenOver,
    firstByteTimeout: config.upstream.firstByteTimeout,
    limits: config.limits,
    connectPorts: config.access.connectPorts,
  });
  const certificates = certificatesFor(name, listener, files, before?.certificates ?? null);
  const handler = rateLimited(options.handler({ upstream: way.upstream, takeovers }), shared, options, takeovers);
  const clients = { announces: addressTest(listener.proxyProtocol), isExempt: options.isExempt };
  const tls = certificates?.set ?? null;
  const settings = { name, tls, limits: config.limits, clients, handler, observer: exchanges };
  return { name, listener, settings, way, certificates };
}

/** What a client has spent is forgotten with the configuration: after a second it would be anyway. */
function rateLimited(
  handler: RequestHandler,
  { config, clock }: Shared,
  { countsFor }: SideOptions,
  takeovers: Takeovers,
): RequestHandler {
  const { perClientRate, clientPrefix } = config.limits;
  if (perClientRate === null) return handler;
  const rate = new RequestRate({ rate: perClientRate, prefix: clientPrefix });
  return new RateLimited(handler, { rate, clock, countsFor, takeovers });
}

/** Those in use, if nothing about them has changed: their sessions can be resumed. */
function certificatesFor(
  name: ListenerName,
  { tls }: Listener,
  files: FileContents,
  before: Certificates | null,
): Certificates | null {
  if (tls === null) return null;
  const pairs = tls.map(({ cert, key }) => ({ cert: files.text(cert), key: files.text(key) }));
  const madeFrom = JSON.stringify(pairs);
  if (before?.madeFrom === madeFrom) return before;
  try {
    return { set: new CertificateSet(pairs), madeFrom };
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new RefusedConfiguration([{ key: `listen.${name}.tls`, expected: 'usable certificates', got }]);
  }
}
