import type { Duplex } from 'node:stream';
import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';
import { breakOff } from './break-off.js';
import { Deadline } from './deadline.js';
import { wasReset } from './was-reset.js';

export interface RelayedBytes {
  /** From the client. */
  readonly bytesIn: Bytes;
  /** To the client. */
  readonly bytesOut: Bytes;
}

/** What passed over a connection that was taken over. */
export interface Carried {
  /** From the client, behind the head of its request. */
  readonly bytesIn: Bytes;
  /** To the client: the head of the answer, and what came behind it. */
  readonly bytesOut: Bytes;
  /** Of that what came behind it. */
  readonly contentOut: Bytes;
}

export interface RelayOptions {
  /** Longest silence in both directions together. */
  readonly idleTimeout: Milliseconds;
  readonly signal: AbortSignal;
}

/**
 * Passes bytes on in both directions as they come, a slow side holding the other back and an end of one side passed on to
 * the other, until both have ended, one has broken, nothing has come for too long, or the signal says so. Owns both.
 */
export function relay(client: Duplex, origin: Duplex, options: RelayOptions): Promise<RelayedBytes> {
  return new Promise((resolve) => {
    let [bytesIn, bytesOut] = [0, 0];
    const open = new Set([client, origin]);
    const destroy = (): void => {
      client.destroy();
      origin.destroy();
    };
    const idle = new Deadline(options.idleTimeout, destroy);
    const over = (): void => {
      idle.end();
      options.signal.removeEventListener('abort', destroy);
      resolve({ bytesIn: bytes(bytesIn), bytesOut: bytes(bytesOut) });
    };
    const closed = (one: Duplex, other: Duplex): void => {
      open.delete(one);
      // An orderly end was passed on by the pipe; anything else takes the other side along.
      const orderly = one.errored === null && one.readableEnded && one.writableFinished;
      if (one.errored !== null) breakOff(other);
      else if (!orderly) other.destroy();
      if (!orderly || open.size === 0) over();
    };
    options.signal.addEventListener('abort', destroy, { once: true });
    for (const [one, other] of [[client, origin] as const, [origin, client] as const]) {
      one.on('error', () => undefined);
      one.once('end', () => {
        if (wasReset(one)) breakOff(other);
      });
      if (one.closed) closed(one, other);
      else one.once('close', () => closed(one, other));
    }
    client.on('data', (chunk: Buffer) => {
      bytesIn += chunk.length;
      idle.start();
    });
    origin.on('data', (chunk: Buffer) => {
      bytesOut += chunk.length;
      idle.start();
    });
    idle.start();
    client.pipe(origin);
    origin.pipe(client);
    if (options.signal.aborted) destroy();
  });
}
