import type { Duplex } from 'node:stream';
import { bytes, type Milliseconds } from '../../config/units.js';
import { whileClientStays } from './client-presence.js';
import type { Dialler } from './dialler.js';
import { DirectReads } from './direct-reads.js';
import { relay, type Carried } from './relay.js';

export interface TunnelOptions {
  /** Where to, as the client's CONNECT names it; its port and syntax are checked by the caller. */
  readonly host: string;
  readonly port: number;
  /** The client's connection, of which nothing but CONNECT was read. */
  readonly client: Duplex;
  /** What the client has sent after its CONNECT. */
  readonly head: Buffer;
  readonly dialler: Dialler;
  /** The value of `Via` in the client's CONNECT; empty if it has none. */
  readonly via: string;
  /** Longest silence in both directions together. */
  readonly idleTimeout: Milliseconds;
  readonly signal: AbortSignal;
  /** Called when the tunnel stands. */
  readonly onOpen?: () => void;
}

/** Without Content-Length and Transfer-Encoding (RFC 9110 §9.3.6). */
const established = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/**
 * Opens a tunnel (RFC 9110 §9.3.6) and resolves with what passed through it when it is over. It owns the client's
 * connection from the moment the tunnel stands; before that it rejects, and the caller answers.
 * @throws WillisError destination-refused, dns-…, connect-…, parent-…; client-gone
 */
export async function openTunnel(options: TunnelOptions): Promise<Carried> {
  const { host, port, client, head, dialler, via, idleTimeout, signal } = options;
  const reads = new DirectReads();
  const origin = await whileClientStays(client, signal, (staying) =>
    dialler.dial({ host, port, secure: false }, staying, { via, reads }),
  );
  client.write(established);
  options.onOpen?.();
  if (head.length > 0) client.unshift(head);
  const { bytesIn, bytesOut } = await relay(client, origin, { idleTimeout, signal, reads });
  return { bytesIn, bytesOut: bytes(established.length + bytesOut), contentOut: bytesOut };
}
