import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Milliseconds } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { Connection, type ConnectionContext } from './connection.js';
import type { TimeLimits } from './deadlines.js';
import type { Client } from './message.js';
import type { HeadLimits } from './receive.js';
import { requestIds } from './request-id.js';
import type { ExchangeObserver, RequestHandler } from './request-handler.js';
import { CertificateSet, type TlsCertificate } from './tls-certificates.js';

export interface HttpServerOptions extends ExchangeObserver {
  /** For the log. */
  readonly name: string;
  /** Port 0 for any. */
  readonly address: { readonly host: string; readonly port: number };
  readonly tls: { readonly certificates: readonly TlsCertificate[] } | null;
  readonly limits: HeadLimits & TimeLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handler: RequestHandler;
}

/** A listener for HTTP/1.1, over TCP or TLS. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #context: ConnectionContext;
  /** All accepted sockets that are not closed, tunnels included. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  #certificates: CertificateSet | null;
  #sweeper: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  /** @throws Error if a certificate is unusable */
  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#certificates = options.tls === null ? null : new CertificateSet(options.tls.certificates);
    this.#context = {
      limits: options.limits,
      clock: options.clock,
      logger: options.logger.child({ listener: options.name }),
      handler: options.handler,
      observer: options,
      nextId: requestIds(),
      onEnded: (connection) => {
        this.#connections.delete(connection);
        this.#noteEnded();
      },
    };
    this.#server = this.#certificates === null ? this.#plainServer() : this.#tlsServer();
  }

  /** Open connections, tunnels included. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Begins to accept connections. @throws the error of node, such as EADDRINUSE */
  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options.address;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#context.logger.error({ error }, 'accepting connections failed'));
        this.#sweeper = setInterval(() => this.#sweep(), sweepInterval(this.#options.limits));
        this.#sweeper.unref();
        const { address, port: actual } = this.#server.address() as AddressInfo;
        resolve({ host: address, port: actual });
      });
    });
  }

  /**
   * Stops accepting, ends idle connections, lets requests under way be answered, and destroys what is left after
   * `drainTimeout`. Idempotent; fulfilled when no connection is left.
   */
  close(drainTimeout: Milliseconds): Promise<void> {
    this.#closed ??= this.#drain(drainTimeout);
    return this.#closed;
  }

  /** New handshakes use these. @throws Error, and the old ones stay, if one is unusable or this is no TLS listener */
  setCertificates(certificates: readonly TlsCertificate[]): void {
    if (!(this.#server instanceof TlsServer)) throw new Error(`the listener ${this.#options.name} does not use TLS`);
    this.#certificates = new CertificateSet(certificates);
    const [first] = certificates as readonly [TlsCertificate];
    this.#server.setSecureContext({ ...secureDefaults, ...first });
  }

  async #drain(timeout: Milliseconds): Promise<void> {
    const ended = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, timeout);
    await ended;
    // The server says so before its last sockets do.
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      this.#noteEnded();
    });
    clearTimeout(timer);
    clearInterval(this.#sweeper);
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const connection of this.#connections) connection.sweep(now);
  }

  #plainServer(): Server {
    const server = createServer({ ...socketDefaults });
    server.on('connection', (socket) => {
      this.#guard(socket);
      this.#begin(socket, false);
    });
    return server;
  }

  #tlsServer(): Server {
    const [first] = this.#options.tls?.certificates ?? [];
    const server = createTlsServer({
      ...socketDefaults,
      ...secureDefaults,
      ...first,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: this.#options.limits.headerTimeout,
      SNICallback: (name, done) => done(null, this.#certificates?.choose(name)),
    });
    server.on('connection', (socket: Socket) => this.#guard(socket));
    server.on('secureConnection', (socket) => this.#begin(socket, true));
    server.on('tlsClientError', (error, socket) => {
      this.#context.logger.debug({ error }, 'TLS handshake failed');
      socket.destroy();
    });
    return server;
  }

  /** Keeps count of a socket until it is closed, whoever it belongs to by then. */
  #guard(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#noteEnded();
    });
    socket.on('error', ignore);
  }

  #begin(socket: Socket | TLSSocket, secure: boolean): void {
    // A connection that has failed already has no addresses any more.
    if (socket.destroyed || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    if (secure) socket.on('error', ignore);
    const client: Client = { address: unmapped(socket.remoteAddress), port: socket.remotePort ?? 0, secure };
    const reset = (): void => this.#reset(socket);
    const connection = new Connection({ socket, client, ownAuthority: ownAuthority(socket), reset }, this.#context);
    this.#connections.add(connection);
    if (this.#closed !== undefined) connection.drain();
  }

  /**
   * Many TLS clients take the end of a connection for the end of the message, and node has no reset for a TLS socket: it
   * takes the TCP socket below.
   */
  #reset(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    for (const accepted of this.#sockets) {
      if (accepted.remotePort === remotePort && accepted.remoteAddress === remoteAddress) accepted.resetAndDestroy();
    }
  }

  #noteEnded(): void {
    if (this.#sockets.size === 0 && this.#connections.size === 0) this.#onEmpty?.();
  }
}

const WATER_MARK = 65_536;
const socketDefaults = { allowHalfOpen: true, highWaterMark: WATER_MARK };
const secureDefaults = { minVersion: 'TLSv1.2' } as const;

/** An error of a connection is followed by its end, which is what counts. */
const ignore = (): void => undefined;

/** IPv4-mapped IPv6 addresses are written as IPv4. */
const unmapped = (address: string): string => (/^::ffff:\d+\./i.test(address) ? address.slice(7) : address);

function ownAuthority(socket: Socket): string {
  const address = unmapped(socket.localAddress ?? '127.0.0.1').replace(/%.*$/, '');
  return `${isIPv6(address) ? `[${address}]` : address}:${socket.localPort ?? 0}`;
}

/** A second, or less if the limits are that short. */
function sweepInterval({ headerTimeout, idleTimeout, bodyTimeout }: TimeLimits): Milliseconds {
  const shortest = Math.min(headerTimeout, idleTimeout, bodyTimeout);
  return Math.min(1000, Math.max(10, shortest / 4)) as Milliseconds;
}
