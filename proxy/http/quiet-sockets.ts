import type { Socket } from 'node:net';
import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../config/units.js';

/** How long nothing may have passed. */
const QUIET_TIME = milliseconds(1000);

/** Tells which sockets carry nothing any more, by looks at them now and then. */
export class QuietSockets {
  readonly #seen = new WeakMap<Socket, { readonly passed: number; readonly since: MonotonicMs }>();

  /** Whether no byte has passed in either direction between looks at it that are a second apart. */
  isQuiet(socket: Socket, now: MonotonicMs): boolean {
    const passed = socket.bytesRead + socket.bytesWritten;
    const seen = this.#seen.get(socket);
    if (seen?.passed === passed) return elapsedMonotonic(seen.since, now) >= QUIET_TIME;
    this.#seen.set(socket, { passed, since: now });
    return false;
  }
}
