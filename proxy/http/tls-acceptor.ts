import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Milliseconds } from '../../config/units.js';
import type { CertificateSet } from './tls-certificates.js';

export interface TlsAcceptorOptions {
  readonly certificates: CertificateSet;
  readonly handshakeTimeout: Milliseconds;
  /** Those of an acceptor whose sessions can be resumed here. */
  readonly ticketKeys: Buffer | null;
  readonly onSecure: (secure: TLSSocket, accepted: Socket) => void;
  readonly onFailed: (error: Error) => void;
}

/**
 * The server's side of TLS on sockets that somebody else accepts, and may have read from: what was received and is put
 * back (`unshift`) belongs to the handshake.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #server: Server;
  /** Sockets within their handshake, by the addresses of both ends. */
  readonly #handshaking = new Map<string, Socket>();

  constructor(options: TlsAcceptorOptions) {
    const { certificates, ticketKeys, handshakeTimeout } = options;
    this.#options = options;
    this.#server = createServer({
      ...certificates.default,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout,
      SNICallback: (name, done) => done(null, certificates.choose(name)),
      ...(ticketKeys !== null && { ticketKeys }),
    });
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      options.onFailed(error);
      socket.destroy();
    });
  }

  get certificates(): CertificateSet {
    return this.#options.certificates;
  }

  get handshakeTimeout(): Milliseconds {
    return this.#options.handshakeTimeout;
  }

  get ticketKeys(): Buffer {
    return this.#server.getTicketKeys();
  }

  /** Begins the handshake; the socket is TLS's from now on. */
  accept(socket: Socket): void {
    const ends = endsOf(socket);
    this.#handshaking.set(ends, socket);
    socket.once('close', () => {
      if (this.#handshaking.get(ends) === socket) this.#handshaking.delete(ends);
    });
    this.#server.emit('connection', socket);
  }

  #onSecure(secure: TLSSocket): void {
    const ends = endsOf(secure);
    const accepted = this.#handshaking.get(ends);
    // one that has failed meanwhile has no addresses any more
    if (accepted === undefined) {
      secure.destroy();
      return;
    }
    this.#handshaking.delete(ends);
    this.#options.onSecure(secure, accepted);
  }
}

const endsOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress ?? ''} ${remotePort ?? ''} ${localAddress ?? ''} ${localPort ?? ''}`;
