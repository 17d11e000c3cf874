import type { Duplex } from 'node:stream';
import type { Milliseconds } from '../../config/units.js';
import { whileClientStays } from './client-presence.js';
import { dial } from './dial.js';
import type { DialGuard } from './dial-guard.js';
import { relay, type RelayedBytes } from './relay.js';

export interface TunnelOptions {
  /** Where to, as the client's CONNECT names it; its port and syntax are checked by the caller. */
  readonly host: string;
  readonly port: number;
  /** The client's connection, of which nothing but CONNECT was read. */
  readonly client: Duplex;
  /** What the client has sent after its CONNECT. */
  readonly head: Buffer;
  readonly guard: DialGuard;
  readonly connectTimeout: Milliseconds;
  /** Longest silence in both directions together. */
  readonly idleTimeout: Milliseconds;
  readonly signal: AbortSignal;
}

/** Without Content-Length and Transfer-Encoding (RFC 9110 §9.3.6). */
const established = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/**
 * Opens a tunnel (RFC 9110 §9.3.6) and resolves with what passed through it when it is over. It owns the client's
 * connection from the moment the tunnel stands; before that it rejects, and the caller answers.
 * @throws WillisError destination-refused, dns-…, connect-…; client-gone
 */
export async function openTunnel(options: TunnelOptions): Promise<RelayedBytes> {
  const { host, port, client, head, guard, connectTimeout: timeout, idleTimeout, signal } = options;
  const origin = await whileClientStays(client, signal, (staying) =>
    dial({ host, port, secure: false }, { guard, signal: staying, timeout }),
  );
  client.write(established);
  if (head.length > 0) client.unshift(head);
  return relay(client, origin, { idleTimeout, signal });
}
