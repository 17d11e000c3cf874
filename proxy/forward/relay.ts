import type { Duplex } from 'node:stream';
import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';
import { breakOff } from './break-off.js';
import type { DirectReads } from './direct-reads.js';
import { Silence } from './silence.js';
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
  /** How the origin server's bytes can be had, if its connection was made for that. */
  readonly reads: DirectReads;
}

/**
 * Passes bytes on in both directions as they come, a slow side holding the other back and an end of one side passed on to
 * the other, until both have ended, one has broken, nothing has come for too long, or the signal says so. Owns both.
 */
export function relay(client: Duplex, origin: Duplex, options: RelayOptions): Promise<RelayedBytes> {
  const { idleTimeout, signal, reads } = options;
  return new Promise((resolve) => {
    const open = new Set([client, origin]);
    const destroy = (): void => {
      client.destroy();
      origin.destroy();
    };
    const over = (): void => {
      silence.end();
      signal.removeEventListener('abort', destroy);
      resolve({ bytesIn: inwards.received, bytesOut: outwards.received });
    };
    const closed = (one: Duplex, other: Duplex): void => {
      open.delete(one);
      // An orderly end was passed on; anything else takes the other side along.
      const orderly = one.errored === null && one.readableEnded && one.writableFinished;
      if (one.errored !== null) breakOff(other);
      else if (!orderly) other.destroy();
      if (!orderly || open.size === 0) over();
    };
    const inwards = new Direction(client, origin);
    const outwards = new Direction(origin, client);
    const silence = new Silence(() => bytes(inwards.received + outwards.received), idleTimeout, destroy);
    silence.limit(idleTimeout);
    signal.addEventListener('abort', destroy, { once: true });
    for (const [one, other] of [[client, origin] as const, [origin, client] as const]) {
      one.on('error', () => undefined);
      if (one.closed) closed(one, other);
      else one.once('close', () => closed(one, other));
    }
    if (reads.readsOf(origin)) reads.passTo((chunk) => outwards.pass(chunk));
    inwards.begin();
    outwards.begin();
    if (signal.aborted) destroy();
  });
}

/** One way between two connections. What comes is written at once, and no more is read until the system has taken all. */
class Direction {
  received = bytes(0);
  readonly #from: Duplex;
  readonly #to: Duplex;
  #waiting = false;

  constructor(from: Duplex, to: Duplex) {
    this.#from = from;
    this.#to = to;
  }

  begin(): void {
    const [from, to] = [this.#from, this.#to];
    from.once('end', () => {
      if (wasReset(from)) breakOff(to);
      else to.end();
    });
    from.on('data', (chunk: Buffer) => {
      if (!this.pass(chunk)) from.pause();
    });
    from.resume();
  }

  /** @returns whether all was taken; if not, `from` is resumed when it is */
  pass(chunk: Buffer): boolean {
    this.received = bytes(this.received + chunk.length);
    this.#to.write(chunk, this.#onWritten);
    this.#waiting = this.#to.writableLength > 0;
    return !this.#waiting;
  }

  readonly #onWritten = (): void => {
    if (!this.#waiting || this.#to.writableLength > 0) return;
    this.#waiting = false;
    this.#from.resume();
  };
}
