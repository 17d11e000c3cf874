import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What a way is like. */
export interface Way {
  /** There and back, in milliseconds. */
  latency: number;
  /** Back, in bits a second, for all connections together. */
  bitsPerSecond: number;
}

/** Passes connections on to a port of this machine, as if that were far away; how far may change at any time. */
export class FarRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** When the way is free for the next bytes. */
  #free = 0;

  private constructor(
    port: number,
    readonly way: Way,
  ) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#relay(near, port));
  }

  static async to(port: number, way: Way): Promise<FarRelay> {
    const relay = new FarRelay(port, way);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Stops at once. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(near: Socket, port: number): void {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    this.#pass(near, far, () => performance.now());
    this.#pass(far, near, (size) => this.#departure(size));
  }

  /** When the last of so many bytes has left. */
  #departure(size: number): number {
    this.#free = Math.max(this.#free, performance.now()) + (size * 8000) / this.way.bitsPerSecond;
    return this.#free;
  }

  /** Bytes arrive half the latency after they have left, in the order in which they came. */
  #pass(from: Socket, to: Socket, departure: (size: number) => number): void {
    let waiting = 0;
    let last = 0;
    const acts: (() => void)[] = [];
    const later = (at: number, act: () => void): void => {
      last = Math.max(last, at + this.way.latency / 2);
      acts.push(act);
      // timers of unlike times do not always come in the order of their ends
      setTimeout(() => acts.shift()?.(), last - performance.now());
    };
    from.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += piece) {
        const part = chunk.subarray(at, at + piece);
        waiting += part.length;
        later(departure(part.length), () => {
          waiting -= part.length;
          if (!to.destroyed) to.write(part);
          if (waiting < mostWaiting) from.resume();
        });
      }
      if (waiting >= mostWaiting) from.pause();
    });
    from.on('end', () => later(performance.now(), () => void to.end()));
  }
}

/** What leaves at once, and how much may wait to leave, in bytes. */
const piece = 8192;
const mostWaiting = 131_072;
