import type { Duplex } from 'node:stream';
import {
  elapsedMonotonic,
  milliseconds,
  monotonicMs,
  type Bytes,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { BodyRate } from './body-rate.js';

export interface TimeLimits {
  /** From the first byte of a request to the end of its head. */
  readonly headerTimeout: Milliseconds;
  /** Between two requests. */
  readonly idleTimeout: Milliseconds;
  /** Without progress of a body, in either direction. */
  readonly bodyTimeout: Milliseconds;
  /** Bytes a second that a body makes on average over such a time; 0 for any. */
  readonly bodyRate: Bytes;
}

/** How often to look at connections: every second, or more often if the limits are that short. */
export function sweepInterval({ headerTimeout, idleTimeout, bodyTimeout }: TimeLimits): Milliseconds {
  const shortest = Math.min(headerTimeout, idleTimeout, bodyTimeout);
  return milliseconds(Math.min(1000, Math.max(10, shortest / 4)));
}

/**
 * How long a client that has ended its side is taken for one that still listens. Most that do so have gone, and a
 * connection does not tell the one from the other until something is written to it.
 */
const HALF_CLOSED_TIME = milliseconds(2000);

/** A connection, as far as its time limits look at it. */
export interface Watched {
  readonly socket: Duplex;
  /** The exchange under way, or the last one. */
  readonly exchange: object | null;
  /** Bytes that have arrived so far. */
  readonly bytesReceived: Bytes;
  /** Bytes that the system has taken for the client so far. */
  readonly bytesSent: Bytes;
}

/** What a connection waits for. */
export type Awaited = 'request' | 'head' | 'content' | 'half-closed client' | 'its end' | 'nothing';

/**
 * The time limits of one connection, coarse: looked at now and then instead of by a timer for every wait, so that a
 * request costs none. A limit is never shorter than it says, and longer by two looks at most.
 */
export class Deadlines {
  #limits: TimeLimits;
  #stirred = true;
  #quietSince: MonotonicMs = monotonicMs(0);
  #headSince: MonotonicMs | null = null;
  #endSince: MonotonicMs | null = null;
  #sent = -1;
  #sentSince: MonotonicMs = monotonicMs(0);
  /** Only for a connection on which content is awaited, or something is waiting to be sent. */
  #incoming: BodyRate | null = null;
  #outgoing: BodyRate | null = null;

  constructor(limits: TimeLimits) {
    this.#limits = limits;
  }

  /** These limits hold from now on, for what is awaited already too. */
  configure(limits: TimeLimits): void {
    this.#limits = limits;
  }

  /** Something has happened: input arrived, an answer was completed, a reader began to wait. */
  stir(): void {
    this.#stirred = true;
  }

  /** The first bytes of a head are there, but not all of it. */
  headBegun(clock: Clock): void {
    this.#headSince ??= clock.monotonic();
  }

  headEnded(): void {
    this.#headSince = null;
  }

  /** Whether nothing has happened between the last look and the one before. */
  get quiet(): boolean {
    return !this.#stirred;
  }

  /** What has taken too long: a blocked write, or what the connection waits for. */
  overdue(awaited: Awaited, watched: Watched, now: MonotonicMs): 'write' | 'wait' | null {
    if (this.#stirred) {
      this.#stirred = false;
      this.#quietSince = now;
    }
    if (this.#isWriteStuck(watched, now)) return 'write';
    if (this.#isContentSlow(awaited, watched, now)) return 'wait';
    return this.#isWaitOver(awaited, watched.socket.writableFinished, now) ? 'wait' : null;
  }

  #isWaitOver(awaited: Awaited, allWritten: boolean, now: MonotonicMs): boolean {
    const { headerTimeout, idleTimeout, bodyTimeout } = this.#limits;
    const quiet = elapsedMonotonic(this.#quietSince, now);
    switch (awaited) {
      case 'request':
        return quiet > idleTimeout;
      case 'head':
        return this.#headSince !== null && elapsedMonotonic(this.#headSince, now) > headerTimeout;
      case 'content':
        return quiet > bodyTimeout;
      case 'half-closed client':
        return quiet > HALF_CLOSED_TIME;
      case 'its end':
        if (!allWritten) return false;
        this.#endSince ??= now;
        return elapsedMonotonic(this.#endSince, now) > LINGER_TIME;
      case 'nothing':
        return false;
    }
  }

  /** Whoever has everything that was written for him so far is not slow, however slowly more comes. */
  #isWriteStuck(watched: Watched, now: MonotonicMs): boolean {
    if (watched.socket.writableLength === 0) {
      this.#sent = -1;
      this.#outgoing = null;
      return false;
    }
    const sent = watched.bytesSent;
    if (sent !== this.#sent) {
      this.#sent = sent;
      this.#sentSince = now;
    }
    if (elapsedMonotonic(this.#sentSince, now) > this.#limits.bodyTimeout) return true;
    this.#outgoing ??= new BodyRate();
    return this.#outgoing.isTooSlow(watched, true, sent, now, this.#limits);
  }

  /** While the reader of the content has enough of it, the client is not the one who is slow. */
  #isContentSlow(awaited: Awaited, watched: Watched, now: MonotonicMs): boolean {
    const waiting = awaited === 'content';
    if (this.#incoming === null && !waiting) return false;
    this.#incoming ??= new BodyRate();
    const slow = this.#incoming.isTooSlow(watched.exchange, waiting, watched.bytesReceived, now, this.#limits);
    if (awaited === 'request') this.#incoming = null;
    return slow && waiting;
  }
}

/** For a client to read the last answer, and to end its side. */
const LINGER_TIME = milliseconds(2000);
