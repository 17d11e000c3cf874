import { milliseconds, type Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { isIdempotentMethod } from '../http/methods.js';
import type { TargetUri } from '../http/target-uri.js';
import { ConnectionPool } from './connection-pool.js';
import { dial } from './dial.js';
import type { DialGuard } from './dial-guard.js';
import { forwardExpecting } from './expect-upstream.js';
import { OriginConnection } from './origin-connection.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from './upstream.js';

export interface HttpUpstreamOptions {
  readonly guard: DialGuard;
  /** PEM texts of authorities that are believed beside the system's. */
  readonly ca: readonly string[];
  /** For name resolution, connection and TLS handshake together. */
  readonly connectTimeout: Milliseconds;
  /** Longest silence of the origin server until the head of its response. */
  readonly firstByteTimeout: Milliseconds;
  /** Longest silence of the origin server within a body. */
  readonly bodyTimeout: Milliseconds;
  /** Most connections to one origin server at a time. */
  readonly connections: number;
  /** How long an idle connection is kept; 0: every connection carries one request. */
  readonly keepAlive: Milliseconds;
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
  readonly #closing = new AbortController();
  #inUse = 0;
  #drained: (() => void) | undefined;

  constructor(options: HttpUpstreamOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool({
      connections: options.connections,
      idleConnections,
      open: async (target, signal) => new OriginConnection(await this.#dial(target, signal), options),
    });
  }

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    if (this.#closing.signal.aborted) throw new WillisError('internal', 'the upstream is closed');
    const release = this.#use();
    try {
      options.signal.throwIfAborted();
      // The parser refuses both the field Expect and the request target `*`.
      const expectant = request.expectContinue === true && request.body !== null;
      if (expectant || request.target.path === '*') return await this.#forwardOnce(request, options, release);
      return await this.#forwardKept(request, options, release);
    } catch (error) {
      release();
      if (!options.signal.aborted || error instanceof WillisError) throw error;
      throw new WillisError('client-gone', 'given up', { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#pool.close();
    if (this.#inUse > 0) await new Promise<void>((resolve) => (this.#drained = after(this.#drained, resolve)));
  }

  async #forwardKept(
    request: OutgoingRequest,
    options: ForwardOptions,
    release: () => void,
  ): Promise<IncomingResponse> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#pool.acquire(request.target, { signal: options.signal, fresh: attempt > 1 });
      const reused = connection.uses > 0;
      const exchange = connection.exchange(request, options, () =>
        this.#pool.release(connection, request.target),
      );
      try {
        const response = await exchange.response;
        void exchange.finished.then(release);
        return response;
      } catch (error) {
        const retry = attempt === 1 && reused && isReset(error) && maySendAgain(request, connection, exchange.upload);
        if (!retry) throw error;
        this.#options.logger.debug({ error, origin: request.target.authority }, 'a kept connection was closed; again');
      }
    }
  }

  #forwardOnce(request: OutgoingRequest, options: ForwardOptions, release: () => void): Promise<IncomingResponse> {
    return forwardExpecting(request, options, {
      ...this.#options,
      continueTimeout: this.#options.continueTimeout ?? defaultContinueTimeout,
      dial: () => this.#dial(request.target, options.signal),
      onFinished: release,
    });
  }

  #dial({ scheme, host, port }: TargetUri, signal: AbortSignal): ReturnType<typeof dial> {
    const { guard, ca, connectTimeout } = this.#options;
    return dial({ host, port, secure: scheme === 'https' }, { guard, ca, signal, timeout: connectTimeout });
  }

  /** Counts an exchange as in use until the given function is called. */
  #use(): () => void {
    this.#inUse++;
    let used = true;
    return () => {
      if (!used) return;
      used = false;
      if (--this.#inUse === 0) this.#drained?.();
    };
  }
}

const isReset = (error: unknown): boolean => error instanceof WillisError && error.code === 'upstream-reset';

/**
 * Whether a request whose kept connection turned out closed may be sent a second time (RFC 9110 §9.2.2): if its method is
 * idempotent and no byte of an answer came, or if no byte of it was sent; and if its content is still all there.
 */
function maySendAgain(
  request: OutgoingRequest,
  connection: OriginConnection,
  upload: { readonly untouched: boolean } | null,
): boolean {
  if (upload !== null && request.body?.length !== 0 && !upload.untouched) return false;
  return connection.untouched || (isIdempotentMethod(request.method) && !connection.answered);
}

const after =
  (first: (() => void) | undefined, second: () => void): (() => void) =>
  () => {
    first?.();
    second();
  };
