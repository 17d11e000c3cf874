import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes connections on to a port of 127.0.0.1 and counts the bytes, so that what others count can be compared with it. */
export class CountingRelay {
  /** Bytes passed on to the port, and back from it. */
  forth = 0;
  back = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#relay(near, port));
  }

  static async to(port: number): Promise<CountingRelay> {
    const relay = new CountingRelay(port);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops at once. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(near: Socket, port: number): void {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    near.on('data', (chunk: Buffer) => (this.forth += chunk.length));
    far.on('data', (chunk: Buffer) => (this.back += chunk.length));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        if (!one.readableEnded) other.destroy();
      });
      one.pipe(other);
    }
  }
}
