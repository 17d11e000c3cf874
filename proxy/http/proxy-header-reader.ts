import type { Socket } from 'node:net';
import { elapsedMonotonic, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { InputBuffer } from './input-buffer.js';
import type { ProxyHeader } from './proxy-header.js';
import { receiveProxyHeader } from './proxy-protocol.js';

export interface ProxyHeaderListener {
  onHeader(socket: Socket, header: ProxyHeader): void;
  /** @param late whether it took too long. The socket is still open, and to be closed. */
  onMissing(socket: Socket, reason: string, late: boolean): void;
}

/**
 * Reads the header of the PROXY protocol from accepted sockets. Afterwards a socket is paused, and what came behind the
 * header is there to be read, by TLS too.
 */
export class ProxyHeaderReader {
  readonly #clock: Clock;
  readonly #listener: ProxyHeaderListener;
  /** Those that have not sent all of it. */
  readonly #waiting = new Map<Socket, { readonly since: MonotonicMs; readonly stop: () => void }>();

  constructor(clock: Clock, listener: ProxyHeaderListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  read(socket: Socket): void {
    const input = new InputBuffer();
    const onData = (chunk: Buffer): void => {
      input.append(chunk);
      const result = receiveProxyHeader(input);
      if (result.kind === 'incomplete') return;
      this.#stop(socket);
      if (result.kind === 'invalid') {
        this.#listener.onMissing(socket, result.reason, false);
        return;
      }
      if (input.length > 0) socket.unshift(input.take(input.length));
      this.#listener.onHeader(socket, result.header);
    };
    const onEnd = (): void => {
      this.#stop(socket);
      // a look whether anybody listens, as balancers take it now and then
      if (input.length === 0) socket.destroy();
      else this.#listener.onMissing(socket, 'the connection ended within its PROXY header', false);
    };
    const onClose = (): void => this.#stop(socket);
    const stop = (): void => void socket.pause().off('data', onData).off('end', onEnd).off('close', onClose);
    this.#waiting.set(socket, { since: this.#clock.monotonic(), stop });
    socket.on('data', onData).on('end', onEnd).on('close', onClose);
  }

  /** Enforces the time limit; to be called now and then. */
  sweep(now: MonotonicMs, timeout: Milliseconds): void {
    for (const [socket, { since }] of this.#waiting) {
      if (elapsedMonotonic(since, now) <= timeout) continue;
      this.#stop(socket);
      this.#listener.onMissing(socket, 'no PROXY header arrived in time', true);
    }
  }

  #stop(socket: Socket): void {
    this.#waiting.get(socket)?.stop();
    this.#waiting.delete(socket);
  }
}
