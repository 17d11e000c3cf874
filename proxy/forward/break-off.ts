import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Ends a connection at once and by a reset where there is one, so that what broke does not look like an end. */
export function breakOff(connection: Duplex): void {
  if (connection instanceof Socket && !connection.destroyed) connection.resetAndDestroy();
  else connection.destroy();
}
