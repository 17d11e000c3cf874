import type { Duplex } from 'node:stream';
import {
  elapsedMonotonic,
  milliseconds,
  monotonicMs,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../base/clock.js';

export interface TimeLimits {
  /** From the first byte of a request to the end of its head. */
  readonly headerTimeout: Milliseconds;
  /** Between two requests. */
  readonly idleTimeout: Milliseconds;
  /** Without progress of a body, in either direction. */
  readonly bodyTimeout: Milliseconds;
}

/**
 * How long a client that has ended its side is taken for one that still listens. Most that do so have gone, and a
 * connection does not tell the one from the other until something is written to it.
 */
const HALF_CLOSED_TIME = milliseconds(2000);

/** What a connection waits for. */
export type Awaited = 'request' | 'head' | 'content' | 'half-closed client' | 'its end' | 'nothing';

/**
 * The time limits of one connection, coarse: looked at now and then instead of by a timer for every wait, so that a
 * request costs none. A limit is never shorter than it says, and longer by two looks at most.
 */
export class Deadlines {
  readonly #limits: TimeLimits;
  #stirred = true;
  #quietSince: MonotonicMs = monotonicMs(0);
  #headSince: MonotonicMs | null = null;
  #endSince: MonotonicMs | null = null;
  #written = -1;
  #writtenSince: MonotonicMs = monotonicMs(0);

  constructor(limits: TimeLimits) {
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

  /** What has taken too long: a blocked write, or what the connection waits for. */
  overdue(awaited: Awaited, socket: Duplex & { bytesWritten?: number }, now: MonotonicMs): 'write' | 'wait' | null {
    if (this.#stirred) {
      this.#stirred = false;
      this.#quietSince = now;
    }
    if (this.#isWriteStuck(socket, now)) return 'write';
    return this.#isWaitOver(awaited, socket.writableFinished, now) ? 'wait' : null;
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

  #isWriteStuck(socket: Duplex & { bytesWritten?: number }, now: MonotonicMs): boolean {
    const written = socket.writableLength === 0 ? -1 : (socket.bytesWritten ?? 0);
    if (written === -1 || written !== this.#written) {
      this.#written = written;
      this.#writtenSince = now;
      return false;
    }
    return elapsedMonotonic(this.#writtenSince, now) > this.#limits.bodyTimeout;
  }
}

/** For a client to read the last answer, and to end its side. */
const LINGER_TIME = milliseconds(2000);
