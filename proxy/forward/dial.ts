import { connect as connectTcp, type Socket } from 'node:net';
import {
  createSecureContext,
  connect as connectTls,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { connectError, tlsError } from './connect-error.js';
import { bareHost, type Authority, type DialGuard } from './dial-guard.js';

export interface Destination extends Authority {
  readonly secure: boolean;
  /** Name to ask for and to find in the certificate; `host` if absent. */
  readonly servername?: string;
}

export interface DialOptions {
  readonly guard: DialGuard;
  readonly signal: AbortSignal;
  /** For name resolution, connection and TLS handshake together. */
  readonly timeout: Milliseconds;
  /** PEM texts of authorities that are believed beside the system's. */
  readonly ca?: readonly string[];
  /** Protocols to offer (RFC 7301); `http/1.1` if absent. */
  readonly alpn?: readonly string[];
}

/** How long one address is tried before the next is tried beside it (RFC 8305 §5). */
const attemptTimeout: Milliseconds = milliseconds(250);

/**
 * Connects to a destination that the guard permits, to one of the very addresses it permitted, IPv6 and IPv4 by turns.
 * TLS is always verified. The socket is the caller's; it may be half-closed, and ends its own side itself.
 * @throws WillisError destination-refused or one of dns-…, connect-…, tls-…; or the signal's reason
 */
export async function dial(destination: Destination, options: DialOptions): Promise<Socket | TLSSocket> {
  const limit = new TimeLimit(options.timeout, options.signal);
  try {
    const addresses = await options.guard.resolve(destination, { signal: options.signal, timeout: options.timeout });
    const socket = await open(destination, addresses, limit);
    return destination.secure ? await secure(socket, destination, options, limit) : socket;
  } finally {
    limit.end();
  }
}

function open(destination: Destination, addresses: LookupAddress[], limit: TimeLimit): Promise<Socket> {
  const whom = nameOf(destination);
  limit.check(whom);
  const socket = connectTcp({
    host: bareHost(destination.host),
    port: destination.port,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptTimeout,
    lookup: (_host, lookupOptions, callback) => {
      const [first] = addresses;
      if (lookupOptions.all === true) callback(null, addresses);
      else callback(null, (first as LookupAddress).address, (first as LookupAddress).family);
    },
  });
  return limit.settle(socket, 'connect', whom, connectError);
}

async function secure(
  socket: Socket,
  destination: Destination,
  options: DialOptions,
  limit: TimeLimit,
): Promise<TLSSocket> {
  try {
    limit.check(nameOf(destination));
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const name = (destination.servername ?? bareHost(destination.host)).replace(/\.$/, '');
  const context = options.ca === undefined || options.ca.length === 0 ? undefined : trusting(options.ca);
  const tls = connectTls({
    socket,
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(context === undefined ? {} : { secureContext: context }),
    ALPNProtocols: [...(options.alpn ?? ['http/1.1'])],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  });
  return limit.settle(tls, 'secureConnect', nameOf(destination), tlsError);
}

const nameOf = ({ host, port }: Authority): string => `${host}:${port}`;

const contexts = new WeakMap<readonly string[], SecureContext>();

/** Reading the roots takes milliseconds: kept as long as the list is, which is as long as the configuration. */
function trusting(ca: readonly string[]): SecureContext {
  let context = contexts.get(ca);
  if (context === undefined) {
    context = createSecureContext({ ca: [...rootCertificates, ...ca], minVersion: 'TLSv1.2' });
    contexts.set(ca, context);
  }
  return context;
}

/** One limit for all the steps of dialling. */
class TimeLimit {
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  #reached = false;
  #stop: (() => void) | undefined;

  constructor(timeout: Milliseconds, signal: AbortSignal) {
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      this.#reached = true;
      this.#stop?.();
    }, timeout);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @throws WillisError connect-timeout, or the signal's reason */
  check(whom: string): void {
    const missed = this.#missed(whom);
    if (missed !== null) throw missed;
  }

  /** Waits for an event of a socket; destroys the socket if it does not come. */
  settle<S extends Socket>(
    socket: S,
    event: 'connect' | 'secureConnect',
    whom: string,
    map: (error: unknown, whom: string) => WillisError,
  ): Promise<S> {
    return new Promise<S>((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.#stop = undefined;
        socket.off(event, succeed).off('close', onClose);
        socket.destroy();
        reject(this.#missed(whom) ?? map(error, whom));
      };
      const onClose = (): void => fail(Object.assign(new Error('connection closed'), { code: 'ECONNRESET' }));
      const succeed = (): void => {
        this.#stop = undefined;
        socket.off('error', fail).off('close', onClose);
        resolve(socket);
      };
      // After a failure, later errors of the same socket have nobody left to tell.
      socket.once('error', fail).on('error', () => undefined);
      socket.once('close', onClose).once(event, succeed);
      this.#stop = () => fail(new Error('given up'));
    });
  }

  #missed(whom: string): Error | null {
    if (this.#signal.aborted) return this.#signal.reason as Error;
    return this.#reached ? new WillisError('connect-timeout', `connecting to ${whom} took too long`) : null;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#stop?.();
}
