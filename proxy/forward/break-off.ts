import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection at once, so that what broke does not look like an end: by a reset, or where TLS is spoken by leaving
 * out the `close_notify` that an end has (RFC 8446 §6.1).
 */
export function breakOff(connection: Duplex): void {
  const resettable = connection instanceof Socket && !(connection instanceof TLSSocket);
  if (resettable && !connection.destroyed) connection.resetAndDestroy();
  else connection.destroy();
}
