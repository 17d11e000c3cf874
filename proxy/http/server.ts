import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { unmapped } from './address-text.js';
import { Admission, type AdmittedClient, type ConnectionLimits } from './admission.js';
import { bytesSent } from './bytes-sent.js';
import { Connection, type ConnectionContext } from './connection.js';
import { sweepInterval, type TimeLimits } from './deadlines.js';
import { MOST_FAREWELLS } from './farewells.js';
import { listenerCounters, type ListenerCounters } from './listener-counters.js';
import type { Client } from './message.js';
import { QuietSockets } from './quiet-sockets.js';
import type { HeadLimits } from './receive.js';
import { requestIds } from './request-id.js';
import type { ExchangeObserver, RequestHandler } from './request-handler.js';
import { SpareConnections } from './spare-connections.js';
import { TlsAcceptor } from './tls-acceptor.js';
import type { CertificateSet } from './tls-certificates.js';

export interface HttpServerOptions {
  /** Port 0 for any. */
  readonly address: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly logger: Logger;
  /** What an earlier server has counted, to go on with. */
  readonly counters?: ListenerCounters;
}

/** What a server does with its connections. */
export interface ServerSettings {
  /** For the log. */
  readonly name: string;
  /** Null for plain TCP. */
  readonly tls: CertificateSet | null;
  readonly limits: HeadLimits & TimeLimits & ConnectionLimits;
  readonly clients: ClientPolicy;
  readonly handler: RequestHandler;
  readonly observer: ExchangeObserver;
}

/** What is special about some of the clients. */
export interface ClientPolicy {
  /** Peers whose connections begin with a header of the PROXY protocol, which says who the client is. */
  readonly announces: (address: string) => boolean;
  /** Clients that may have any number of connections. */
  readonly isExempt: (address: string) => boolean;
}

/**
 * A listener for HTTP/1.1, over TCP or TLS. Everything but its address can be changed while it runs: requests that begin
 * afterwards see the new settings only, those under way end under the old ones.
 */
export class HttpServer {
  readonly counters: ListenerCounters;
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #nextId = requestIds();
  readonly #quiet = new QuietSockets();
  /** All accepted sockets that are not closed, with their connections: none within a handshake, or for a tunnel. */
  readonly #sockets = new Map<Socket, Connection | null>();
  readonly #spare = new SpareConnections(this.#sockets);
  /** Of sockets within their handshake. */
  readonly #clients = new WeakMap<Socket, AdmittedClient>();
  #admission: Admission | null = null;
  #settings: ServerSettings | null = null;
  #context: ConnectionContext | null = null;
  #tls: TlsAcceptor | null = null;
  #sweeper: NodeJS.Timeout | undefined;
  #retired: Promise<void> | undefined;
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.counters = options.counters ?? listenerCounters();
    this.#server = createServer({ allowHalfOpen: true, highWaterMark: WATER_MARK });
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('drop', () => this.#admission?.noteDropped());
    this.#server.on('error', (error) => {
      if (this.#server.listening)
        options.logger.error({ code: 'accept-failed', error }, 'accepting connections failed');
    });
  }

  /** Open connections, tunnels included. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * Begins to accept connections, or begins again after `release`; they wait until the server is configured.
   * @throws the error of node, such as EADDRINUSE
   */
  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options.address;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        const { address, port: actual } = this.#server.address() as AddressInfo;
        resolve({ host: address, port: actual });
      });
    });
  }

  /** Leaves its address to somebody else, at once, and keeps its connections. */
  release(): void {
    this.#server.close();
  }

  /** Puts settings in force, for connections that are open too. A handshake under way ends with the old certificates. */
  configure(settings: ServerSettings): void {
    const { name, limits, handler, observer } = settings;
    const { clock, logger } = this.#options;
    const isFirst = this.#settings === null;
    this.#settings = settings;
    this.#tls = settings.tls && this.#tlsAcceptor(settings.tls, limits.headerTimeout);
    this.#context = {
      limits,
      clock,
      logger: logger.child({ listener: name }),
      handler,
      observer,
      nextId: this.#nextId,
      counters: this.counters,
    };
    this.#server.maxConnections = limits.connections + MOST_FAREWELLS;
    this.#configureAdmission(settings, this.#context.logger);
    for (const connection of this.#sockets.values()) connection?.configure(this.#context);
    this.#sweepEvery(sweepInterval(limits));
    if (isFirst) for (const socket of this.#sockets.keys()) this.#admission?.admit(socket);
  }

  /**
   * Stops accepting, ends idle connections and lets requests under way be answered, and tunnels go on. Idempotent;
   * fulfilled when no connection is left.
   */
  retire(): Promise<void> {
    return (this.#retired ??= this.#drain());
  }

  /**
   * Retires, ends tunnels on which nothing passes for a second, and destroys what is left after `drainTimeout`.
   * Idempotent; fulfilled when no connection is left.
   */
  async close(drainTimeout: Milliseconds): Promise<void> {
    this.#closing = true;
    const left = this.retire();
    this.#sweepEvery(CLOSING_INTERVAL);
    const timer = setTimeout(() => this.#destroyAll(), drainTimeout);
    await left;
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    if (this.#settings === null) this.#destroyAll();
    for (const connection of this.#sockets.values()) connection?.drain();
    await closed;
    // The server says so before its last sockets do.
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      this.#noteEnded();
    });
    clearInterval(this.#sweeper);
  }

  #destroyAll(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #sweepEvery(interval: Milliseconds): void {
    clearInterval(this.#sweeper);
    this.#sweeper = setInterval(() => this.#sweep(), interval).unref();
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    this.#spare.rewind();
    this.#admission?.sweep(now);
    let surplus = this.#admission?.surplus ?? 0;
    for (const [socket, connection] of this.#sockets) {
      if (surplus > 0 && connection?.giveWay() === true) surplus--;
      else if (connection !== null) connection.sweep(now);
      else if (this.#closing && this.#quiet.isQuiet(socket, now)) socket.destroy();
    }
  }

  /** Keeps count of a socket until it is closed, whoever it belongs to by then. */
  #accept(socket: Socket): void {
    this.#sockets.set(socket, null);
    socket.once('close', () => {
      if (this.#sockets.get(socket) === null) this.#forget(socket);
    });
    socket.on('error', ignore);
    this.#admission?.admit(socket);
  }

  #configureAdmission({ limits, clients, tls }: ServerSettings, logger: Logger): void {
    const settings = { limits, ...clients, plain: tls === null, logger };
    if (this.#admission !== null) {
      this.#admission.configure(settings);
      return;
    }
    const parts = {
      clock: this.#options.clock,
      counters: this.counters,
      open: () => this.#sockets.size,
      makeRoom: () => this.#spare.endOne(),
      onAdmitted: (socket: Socket, client: AdmittedClient) => this.#begin(socket, client),
    };
    this.#admission = new Admission(parts, settings);
  }

  #begin(socket: Socket, client: AdmittedClient): void {
    if (this.#tls === null) {
      this.#serve(socket, socket, client);
      if (socket.isPaused()) socket.resume();
    } else {
      this.#clients.set(socket, client);
      this.#tls.accept(socket);
    }
  }

  #tlsAcceptor(certificates: CertificateSet, handshakeTimeout: Milliseconds): TlsAcceptor {
    const before = this.#tls?.certificates === certificates ? this.#tls : null;
    if (before?.handshakeTimeout === handshakeTimeout) return before;
    return new TlsAcceptor({
      certificates,
      handshakeTimeout,
      ticketKeys: before?.ticketKeys ?? null,
      onSecure: (secure, accepted) => {
        secure.on('error', ignore);
        const client = this.#clients.get(accepted);
        if (client !== undefined) this.#serve(accepted, secure, { ...client, secure: true });
      },
      onFailed: (error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') this.counters.timeouts.handshake++;
        this.#context?.logger.debug({ code: 'tls-handshake-failed', error }, 'TLS handshake failed');
      },
    });
  }

  /** @param accepted the socket below; the same where there is no TLS */
  #serve(accepted: Socket, socket: Socket | TLSSocket, client: Client): void {
    if (this.#context === null || socket.destroyed) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    // Many TLS clients take the end of a connection for the end of the message, and a TLS socket has no reset.
    const reset = (): void => void accepted.resetAndDestroy();
    const onEnded = (): void => this.#onEnded(accepted);
    const transport = {
      socket,
      client,
      ownAuthority: ownAuthority(socket),
      reset,
      bytesSent: () => bytesSent(accepted),
      onEnded,
    };
    const connection = new Connection(transport, this.#context);
    this.#sockets.set(accepted, connection);
    if (this.#retired !== undefined) connection.drain();
  }

  /** The connection on a socket is over, and maybe the socket too. */
  #onEnded(accepted: Socket): void {
    if (accepted.closed) this.#forget(accepted);
    else this.#sockets.set(accepted, null);
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#noteEnded();
  }

  #noteEnded(): void {
    if (this.#sockets.size === 0) this.#onEmpty?.();
  }
}

const WATER_MARK = 65_536;
const CLOSING_INTERVAL = milliseconds(100);

/** An error of a connection is followed by its end, which is what counts. */
const ignore = (): void => undefined;

function ownAuthority(socket: Socket): string {
  const address = unmapped(socket.localAddress ?? '127.0.0.1').replace(/%.*$/, '');
  return `${isIPv6(address) ? `[${address}]` : address}:${socket.localPort ?? 0}`;
}
