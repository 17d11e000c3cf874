import type { Socket } from 'node:net';
import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../base/clock.js';

/**
 * Says why to connections that are refused, as far as that costs little: the same few bytes to each, to so many at a
 * time, for so long. What they send is dropped, because a connection that is closed with input unread is reset, which
 * takes the answer away (RFC 9112 §9.6). All others are reset at once.
 */
export class Farewells {
  readonly #clock: Clock;
  readonly #since = new Map<Socket, MonotonicMs>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connections that have been told and are still open. */
  get size(): number {
    return this.#since.size;
  }

  /** The socket is this object's from now on. @param answer null for nothing */
  refuse(socket: Socket, answer: string | null): void {
    if (answer === null || this.#since.size >= MOST_FAREWELLS) {
      socket.resetAndDestroy();
      return;
    }
    this.#since.set(socket, this.#clock.monotonic());
    let dropped = 0;
    socket.on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > MOST_DROPPED) socket.resetAndDestroy();
    });
    socket.once('close', () => this.#since.delete(socket));
    socket.end(answer, 'latin1');
    socket.resume();
  }

  /** Ends those who have had their time; to be called now and then. */
  sweep(now: MonotonicMs): void {
    for (const [socket, since] of this.#since) {
      if (elapsedMonotonic(since, now) > FAREWELL_TIME) socket.resetAndDestroy();
    }
  }
}

/** At a time. */
export const MOST_FAREWELLS = 64;
const MOST_DROPPED = 65_536;
const FAREWELL_TIME = milliseconds(2000);
