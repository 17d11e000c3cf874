import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Whether a connection that seems to have ended was reset. When a reset comes close behind bytes, the platform reports
 * both as an end; but a socket that was reset has no peer any more. (The answer is right as long as nobody asked for the
 * peer's address before, which the platform then remembers.) After an end of our own there is no telling: an orderly end of
 * both sides leaves no peer either.
 */
export const wasReset = (connection: Duplex): boolean =>
  connection instanceof Socket && !connection.writableEnded && connection.remoteAddress === undefined;
