import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** `pass`; `reset`: nobody listens there; `silent`: everything is taken and nothing answered, as by a stopped process. */
export type FrontMode = 'pass' | 'reset' | 'silent';

/**
 * What others know of a node as its address, before it runs and after: passes connections on to wherever it listens now,
 * counts bytes and requests, and fails as a network does.
 */
export class NodeFront {
  /** Bytes from the node. */
  back = 0;
  /** `GET /.well-known/wlis/head?…`, in their order. */
  readonly requests: string[] = [];
  /** Requests that never arrive: their connection breaks. */
  loses: (request: string) => boolean = () => false;
  /** Called with what goes to the node. */
  onForth: ((sent: Buffer) => void) | null = null;
  #mode: FrontMode = 'pass';
  #port: number | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#take(near));
  }

  static async open(): Promise<NodeFront> {
    const front = new NodeFront();
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.authority}`;
  }

  /** Where the node listens; null while it does not. */
  leadTo(port: number | null): void {
    this.#port = port;
  }

  /** Connections that there are break, or fall silent, too. */
  set mode(mode: FrontMode) {
    this.#mode = mode;
    if (mode === 'reset') this.breakAll();
    for (const socket of this.#sockets) if (mode === 'silent') socket.pause();
    // what fell silent stays so: nobody knows what was lost
    if (mode === 'pass') for (const socket of this.#sockets) if (socket.isPaused()) socket.destroy();
  }

  /** Connections that there are. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** How many of the requests begin so. */
  count(beginning: string): number {
    return this.requests.filter((request) => request.startsWith(beginning)).length;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.breakAll();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(near: Socket): void {
    this.#keep(near);
    if (this.#mode === 'reset' || this.#port === null) {
      near.resetAndDestroy();
      return;
    }
    if (this.#mode === 'silent') {
      near.pause();
      return;
    }
    const far = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    this.#keep(far);
    near.on('data', (chunk: Buffer) => this.#forth(chunk, near, far));
    far.on('data', (chunk: Buffer) => this.#pass(chunk, near));
    near.on('end', () => far.end());
    far.on('end', () => near.end());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** Heads of requests come whole: nodes send them at once. */
  #forth(chunk: Buffer, near: Socket, far: Socket): void {
    const heads = chunk.toString('latin1').matchAll(/^([A-Z]+ [^ \r\n]+) HTTP\/1\.1\r$/gm);
    for (const [, request = ''] of heads) {
      if (this.loses(request)) {
        near.destroy();
        return;
      }
      this.requests.push(request);
    }
    this.onForth?.(chunk);
    far.write(chunk);
  }

  #pass(chunk: Buffer, near: Socket): void {
    this.back += chunk.length;
    near.write(chunk);
  }
}
