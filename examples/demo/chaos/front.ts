import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const bytesInMillisecond = 8000;

/** Stands before a node where others reach it: passes connections on, or takes all and answers nothing. */
export class Front {
  readonly #server: Server;
  readonly #behind: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #isBlackHole = false;

  private constructor(behind: string) {
    const { hostname, port } = new URL(`http://${behind}`);
    this.#behind = { host: hostname, port: Number(port) };
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#take(near));
  }

  /** @param behind `127.0.0.1:12345`, where the node listens, now or later */
  static async open(url: string, behind: string): Promise<Front> {
    const front = new Front(behind);
    const { hostname, port } = new URL(url);
    front.#server.listen(Number(port), hostname);
    await once(front.#server, 'listening');
    return front;
  }

  /** Whoever is connected, or connects from now on, hears nothing more, and is not told that. */
  swallow(): void {
    this.#isBlackHole = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Passes connections on again. Those that fell silent break: nobody knows what was lost. */
  pass(): void {
    if (!this.#isBlackHole) return;
    this.#isBlackHole = false;
    this.#breakAll();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#breakAll();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(near: Socket): void {
    this.#keep(near);
    if (this.#isBlackHole) {
      near.pause();
      return;
    }
    const far = connect({ ...this.#behind, allowHalfOpen: true });
    this.#keep(far);
    near.pipe(far);
    far.on('data', (chunk: Buffer) => this.#pace(chunk, near, far));
    far.on('end', () => near.end());
    // a node that was killed breaks its connections, and so does this
    near.on('close', () => far.destroy());
    far.on('close', (hadError) => (hadError ? near.resetAndDestroy() : near.destroySoon()));
  }

  /** As from further away: so that a fault meets long answers in the middle. */
  #pace(chunk: Buffer, near: Socket, far: Socket): void {
    const goOn = (): void => {
      if (!this.#isBlackHole) far.resume();
    };
    far.pause();
    const hasRoom = near.write(chunk);
    setTimeout(() => (hasRoom ? goOn() : near.once('drain', goOn)), chunk.length / bytesInMillisecond);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
