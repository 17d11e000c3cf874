import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  createSecureContext,
  connect as connectTls,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { LookupAddress } from 'node:dns';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import { asWillisError } from '../base/errors.js';
import { bareHost } from '../http/host-name.js';
import { connectError, tlsError } from './connect-error.js';
import { connectThrough } from './connect-through.js';
import type { Authority, DialGuard } from './dial-guard.js';
import type { DirectReads } from './direct-reads.js';
import type { ParentProxy } from './parent-proxy.js';
import { TimeLimit } from './time-limit.js';

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
  /** Attached to the connection, unless that is one of TLS, or runs over one. */
  readonly reads?: DirectReads | null;
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
    return await reach(destination, options, limit);
  } finally {
    limit.end();
  }
}

/**
 * The same by CONNECT through a parent proxy, which the guard is then asked about, and which resolves the destination's
 * name; with null, to the parent proxy itself. `via` is the value of `Via` for CONNECT.
 * @throws WillisError one of parent-…, tls-…; or the signal's reason
 */
export async function dialThrough(
  parent: ParentProxy,
  destination: Destination | null,
  options: DialOptions & { readonly via: string },
): Promise<Socket | TLSSocket> {
  const limit = new TimeLimit(options.timeout, options.signal);
  try {
    const socket = await reachThrough(parent, destination, options, limit);
    const secured = destination !== null && destination.secure;
    return secured ? await secure(socket, destination, options, limit) : socket;
  } finally {
    limit.end();
  }
}

async function reach(destination: Destination, options: DialOptions, limit: TimeLimit): Promise<Socket | TLSSocket> {
  const addresses = await options.guard.resolve(destination, { signal: options.signal, timeout: options.timeout });
  const socket = await open(destination, addresses, limit, destination.secure ? null : (options.reads ?? null));
  return destination.secure ? secure(socket, destination, options, limit) : socket;
}

async function reachThrough(
  parent: ParentProxy,
  destination: Destination | null,
  options: DialOptions & { readonly via: string },
  limit: TimeLimit,
): Promise<Socket | TLSSocket> {
  const { scheme, host, port } = parent.uri;
  try {
    const socket = await reach({ host, port, secure: scheme === 'https' }, options, limit);
    if (destination === null) return socket;
    await limit.settle(socket, connectThrough(socket, destination, parent, options.via), parent.name, asWillisError);
    return socket;
  } catch (error) {
    throw parent.failure(error);
  }
}

async function open(
  destination: Destination,
  addresses: LookupAddress[],
  limit: TimeLimit,
  reads: DirectReads | null,
): Promise<Socket> {
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
    ...(reads !== null && { onread: reads.onread }),
  });
  reads?.attach(socket);
  await limit.settle(socket, happened(socket, 'connect'), whom, connectError);
  return socket;
}

async function secure(
  socket: Socket,
  destination: Destination,
  options: DialOptions,
  limit: TimeLimit,
): Promise<TLSSocket> {
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
  await limit.settle(tls, happened(tls, 'secureConnect'), nameOf(destination), tlsError);
  return tls;
}

/** Fulfilled with an event of a socket; fails with its error, or when it is closed before. */
function happened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(Object.assign(new Error('connection closed'), { code: 'ECONNRESET' }));
    // After a failure, later errors of the same socket have nobody left to tell.
    socket.once('error', reject).on('error', () => undefined);
    socket.once('close', onClose).once(event, () => {
      socket.off('error', reject).off('close', onClose);
      resolve();
    });
  });
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
