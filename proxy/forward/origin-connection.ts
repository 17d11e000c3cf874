import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { isRequestField } from './request-fields.js';
import { Exchange, type ExchangeTimeouts } from './exchange.js';
import { headLimit, OriginStream } from './origin-stream.js';
import type { ForwardOptions, OutgoingRequest } from './upstream.js';

export interface ConnectionOptions extends ExchangeTimeouts {
  /** How long the connection may wait for its next request; 0: one request only. */
  readonly keepAlive: Milliseconds;
}

/** One connection to an origin server: one request after the other, never two at a time. */
export class OriginConnection {
  /** Exchanges begun so far. */
  uses = 0;
  closed = false;
  /** Set by the owner: called once, when the connection is of no more use. */
  onClosed: (() => void) | undefined;
  readonly #stream: OriginStream;
  readonly #client: Client;
  readonly #options: ConnectionOptions;

  /** Owns the socket from here on. */
  constructor(socket: Socket, options: ConnectionOptions) {
    this.#options = options;
    this.#stream = new OriginStream(socket);
    this.#stream.once('close', () => this.close());
    // Failures are told by the exchange; an idle connection that breaks concerns nobody.
    this.#stream.on('error', () => undefined);
    this.#client = this.#createClient();
  }

  /**
   * Sends a request. The exchange that is given tells of its response, and `onReusable` of the moment when the next
   * request may be sent; it is not called if the connection closes instead.
   */
  exchange(request: OutgoingRequest, options: ForwardOptions, onReusable: () => void): Exchange {
    this.uses++;
    this.#stream.begin();
    const exchange = new Exchange(request, options, this.#stream, this.#options);
    // Told later than this turn, for the parser decides on the connection after it has reported the end of the response.
    void exchange.finished.then(() => {
      if (!this.#stream.destroyed && !this.closed) onReusable();
    });
    this.#client.dispatch(
      {
        method: request.method,
        path: request.target.path,
        headers: headersOf(request),
        body: request.body === null || request.body.length === 0 ? null : (exchange.upload as never),
        ...(this.#options.keepAlive > 0 ? {} : { reset: true }),
      },
      exchange,
    );
    return exchange;
  }

  /** Whether the last request can be sent again because the origin server cannot have acted on it. */
  get untouched(): boolean {
    return !this.#stream.answered && !this.#stream.sent;
  }

  /** Whether the last request has got any byte of an answer. */
  get answered(): boolean {
    return this.#stream.answered;
  }

  /** Ends the connection at once. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#stream.destroy();
    void this.#client.destroy();
    this.onClosed?.();
  }

  #createClient(): Client {
    let connected = false;
    const keepAlive = Math.max(1, Math.round(this.#options.keepAlive));
    // The scheme is http whatever the socket is: TLS is done, and its name is checked, before.
    const client = new Client('http://origin.invalid', {
      connect: (_options, callback) => {
        if (connected || this.#stream.destroyed) {
          const error = this.#stream.errored ?? new WillisError('upstream-reset', 'the connection was closed');
          callback(error, null);
          return;
        }
        connected = true;
        // What the parser uses of a socket is what a duplex has, `ref` and `unref`.
        callback(null, this.#stream as unknown as Socket);
      },
      pipelining: 1,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      keepAliveTimeoutThreshold: 1000,
      // Deadlines are the exchange's, which knows who is waiting for whom.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: headLimit,
    });
    client.on('disconnect', () => this.close());
    client.on('error' as never, () => this.close());
    return client;
  }
}

/** The fields without those that the parser writes itself; the length is the body's own. */
function headersOf(request: OutgoingRequest): string[] {
  const headers = [...request.fields.filter((name) => isRequestField(name)).lines];
  const length = request.body?.length;
  if (length !== undefined && length !== null) headers.push('Content-Length', String(length));
  return headers;
}
