import type { Socket } from 'node:net';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Cancellation } from '../base/cancellation.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { isIdempotentMethod } from '../http/methods.js';
import type { TargetUri } from '../http/target-uri.js';
import { ConnectionPool, type AcquireOptions } from './connection-pool.js';
import type { Dialler } from './dialler.js';
import { OriginConnection, type ConnectionTimeouts } from './origin-connection.js';
import type { ParentProxy } from './parent-proxy.js';
import { relayedRequest } from './relayed-request.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from './upstream.js';
import type { UpstreamMetrics } from './upstream-metrics.js';

export interface HttpUpstreamOptions extends Omit<ConnectionTimeouts, 'continueTimeout'> {
  readonly dialler: Dialler;
  /** Most connections to one origin server at a time. */
  readonly connections: number;
  /** Most origin servers with open connections at a time; a parent proxy that relays counts for one. */
  readonly origins: number;
  /** How long a request waits for one of them to be done with. */
  readonly connectTimeout: Milliseconds;
  readonly logger: Pick<Logger, 'debug'>;
  readonly metrics: UpstreamMetrics;
  /** How long the origin server may keep an expectant client waiting (RFC 9110 §10.1.1). */
  readonly continueTimeout?: Milliseconds;
}

const idleConnections = 512;
const defaultContinueTimeout = milliseconds(1000);

/** The way to the origin server, or to a parent proxy, over HTTP/1.1 connections that are kept and used again. */
export class HttpUpstream implements Upstream {
  readonly #options: HttpUpstreamOptions;
  readonly #pool: ConnectionPool;
  #closed = false;

  constructor(options: HttpUpstreamOptions) {
    this.#options = options;
    const timeouts = { ...options, continueTimeout: options.continueTimeout ?? defaultContinueTimeout };
    this.#pool = new ConnectionPool({
      connections: options.connections,
      idleConnections,
      origins: options.origins,
      placeTimeout: options.connectTimeout,
      open: async (target, relay, signal) =>
        new OriginConnection(await this.#dial(target, relay, signal), timeouts, options.metrics),
    });
  }

  /** Connections, and the requests that wait for one, as they are now. */
  get connections(): Readonly<Pick<ConnectionPool, 'open' | 'idle' | 'waiting' | 'origins'>> {
    return this.#pool;
  }

  forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const relay = this.#options.dialler.relayFor(request.target);
    return relay === null ? this.#exchange(request, null, options) : this.#relay(request, relay, options);
  }

  async #relay(request: OutgoingRequest, relay: ParentProxy, options: ForwardOptions): Promise<IncomingResponse> {
    this.#options.dialler.judgeRelayed(request.target);
    try {
      const response = await this.#exchange(relayedRequest(request, relay), relay, options);
      if (response.status !== 407) return response;
      response.body?.cancel();
    } catch (error) {
      throw relay.failure(error);
    }
    throw relay.unauthorised();
  }

  async #exchange(
    request: OutgoingRequest,
    relay: ParentProxy | null,
    options: ForwardOptions,
  ): Promise<IncomingResponse> {
    if (this.#closed) throw new WillisError('internal', 'the upstream is closed');
    const { metrics } = this.#options;
    for (let attempt = 1; ; attempt++) {
      // a kept connection may be about to close, and what is not idempotent or has content could not be sent again
      const fresh = attempt > 1 || !isIdempotentMethod(request.method) || hasContent(request);
      const kept = fresh ? null : this.#pool.takeKept(request.target);
      const connection = kept ?? (await this.#acquire(request.target, { fresh, relay }, options.cancellation));
      const reused = connection.uses > 0;
      try {
        const since = metrics.begin();
        const response = await connection.send(request, options);
        metrics.answered(since, response.status);
        return response;
      } catch (error) {
        const reset = error instanceof WillisError && error.code === 'upstream-reset';
        if (!reset || !reused || attempt > 1 || connection.answered) throw this.#failed(error);
        metrics.retries.add();
        this.#options.logger.debug(
          { code: 'upstream-retry', error, origin: request.target.authority },
          'a kept connection was closed; again',
        );
      }
    }
  }

  /**
   * Keeps no connection any longer than its exchange lasts. What began with this upstream may still forward by it.
   * Fulfilled when no connection is left.
   */
  retire(): Promise<void> {
    return this.#pool.close();
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#pool.close();
  }

  /** @throws WillisError client-gone when it is cancelled */
  async #acquire(
    target: TargetUri,
    options: Omit<AcquireOptions, 'signal'>,
    cancellation: Cancellation,
  ): Promise<OriginConnection> {
    try {
      return await this.#pool.acquire(target, { ...options, signal: cancellation.signal });
    } catch (error) {
      throw this.#failed(cancellation.cancelled ? new WillisError('client-gone', 'given up', { cause: error }) : error);
    }
  }

  #failed(error: unknown): unknown {
    this.#options.metrics.failed(asWillisError(error).code);
    return error;
  }

  #dial({ scheme, host, port }: TargetUri, relay: ParentProxy | null, signal: AbortSignal): Promise<Socket> {
    const { dialler } = this.#options;
    if (relay !== null) return dialler.dialParent(relay, signal);
    return dialler.dial({ host, port, secure: scheme === 'https' }, signal);
  }
}

const hasContent = ({ body }: OutgoingRequest): boolean => body !== null && body.length !== 0;
