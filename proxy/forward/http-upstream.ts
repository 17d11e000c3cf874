import { milliseconds, type Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { isIdempotentMethod } from '../http/methods.js';
import type { TargetUri } from '../http/target-uri.js';
import { ConnectionPool } from './connection-pool.js';
import { dial } from './dial.js';
import type { DialGuard } from './dial-guard.js';
import { OriginConnection, type ConnectionTimeouts } from './origin-connection.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from './upstream.js';

export interface HttpUpstreamOptions extends Omit<ConnectionTimeouts, 'continueTimeout'> {
  readonly guard: DialGuard;
  /** PEM texts of authorities that are believed beside the system's. */
  readonly ca: readonly string[];
  /** For name resolution, connection and TLS handshake together. */
  readonly connectTimeout: Milliseconds;
  /** Most connections to one origin server at a time. */
  readonly connections: number;
  readonly logger: Pick<Logger, 'debug'>;
  /** How long the origin server may keep an expectant client waiting (RFC 9110 §10.1.1). */
  readonly continueTimeout?: Milliseconds;
}

const idleConnections = 512;
const defaultContinueTimeout = milliseconds(1000);

/** The way to the origin server itself, over HTTP/1.1 connections that are kept and used again. */
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
      open: async (target, signal) => new OriginConnection(await this.#dial(target, signal), timeouts),
    });
  }

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    if (this.#closed) throw new WillisError('internal', 'the upstream is closed');
    for (let attempt = 1; ; attempt++) {
      // a kept connection may be about to close, and what is not idempotent or has content could not be sent again
      const fresh = attempt > 1 || !isIdempotentMethod(request.method) || hasContent(request);
      const connection = await this.#acquire(request.target, options.signal, fresh);
      const reused = connection.uses > 0;
      try {
        return await connection.send(request, options);
      } catch (error) {
        const reset = error instanceof WillisError && error.code === 'upstream-reset';
        if (!reset || !reused || attempt > 1 || connection.answered) throw error;
        this.#options.logger.debug({ error, origin: request.target.authority }, 'a kept connection was closed; again');
      }
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#pool.close();
  }

  /** @throws WillisError client-gone when the signal gives up */
  async #acquire(target: TargetUri, signal: AbortSignal, fresh: boolean): Promise<OriginConnection> {
    try {
      return await this.#pool.acquire(target, { signal, fresh });
    } catch (error) {
      throw signal.aborted ? new WillisError('client-gone', 'given up', { cause: error }) : error;
    }
  }

  #dial({ scheme, host, port }: TargetUri, signal: AbortSignal): ReturnType<typeof dial> {
    const { guard, ca, connectTimeout } = this.#options;
    return dial({ host, port, secure: scheme === 'https' }, { guard, ca, signal, timeout: connectTimeout });
  }
}

const hasContent = ({ body }: OutgoingRequest): boolean => body !== null && body.length !== 0;
