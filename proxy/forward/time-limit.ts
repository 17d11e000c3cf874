import type { Socket } from 'node:net';
import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';

/** One limit for all the steps of making a connection. */
export class TimeLimit {
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  #reached = false;
  #stop: (() => void) | undefined;

  constructor(timeout: Milliseconds, signal: AbortSignal) {
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      this.#reached = true;
      this.#stop?.();
    }, timeout);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Waits for a step that a socket takes and that fails when the socket is closed; destroys the socket if it fails or does
   * not come in time. `map` makes an error of the table of its failure.
   * @throws WillisError connect-timeout, or what `map` makes; or the signal's reason
   */
  async settle(
    socket: Socket,
    step: Promise<unknown>,
    whom: string,
    map: (error: unknown, whom: string) => WillisError,
  ): Promise<void> {
    this.#stop = () => void socket.destroy();
    try {
      if (this.#missed(whom) !== null) socket.destroy();
      await step;
    } catch (error) {
      socket.destroy();
      throw this.#missed(whom) ?? map(error, whom);
    } finally {
      this.#stop = undefined;
    }
  }

  /** @throws WillisError connect-timeout, or the signal's reason */
  check(whom: string): void {
    const missed = this.#missed(whom);
    if (missed !== null) throw missed;
  }

  #missed(whom: string): Error | null {
    if (this.#signal.aborted) return this.#signal.reason as Error;
    return this.#reached ? new WillisError('connect-timeout', `connecting to ${whom} took too long`) : null;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#stop?.();
}
