import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * `pass`; `reset`: nobody listens there; `silent`: everything is taken and nothing answered, as by a stopped process; `status`:
 * every request is answered by 503; or something happens within each answer.
 */
export type FrontMode = 'pass' | 'reset' | 'silent' | 'status' | Interruption;

export interface Interruption {
  /** Bytes of an answer, its head among them, that come through. */
  readonly after: number;
  /** The connection breaks, nothing comes any more, or one byte a second. */
  readonly then: 'cut' | 'stall' | 'trickle';
}

/**
 * What others know of a node as its address, before it runs and after: passes connections on to wherever it listens now,
 * counts bytes and requests, and fails as a network does.
 */
export class NodeFront {
  /** Bytes from the node. */
  back = 0;
  /** Those that came here, whatever became of them. */
  connections = 0;
  /** `GET /.well-known/wlis/head?…`, in their order. */
  readonly requests: string[] = [];
  /** Requests that never arrive: their connection breaks. */
  loses: (request: string) => boolean = () => false;
  /** Called with what goes to the node. */
  onForth: ((sent: Buffer) => void) | null = null;
  #mode: FrontMode = 'pass';
  #port: number | null = null;
  readonly #server: Server;
  readonly #ways = new Set<Way>();

  private constructor(readonly address: string) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#take(near));
  }

  /** @param address of this machine, where others find it */
  static async open(address = '127.0.0.1'): Promise<NodeFront> {
    const front = new NodeFront(address);
    front.#server.listen(0, address);
    await once(front.#server, 'listening');
    return front;
  }

  get authority(): string {
    return `${this.address}:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.authority}`;
  }

  /** Where the node listens; null while it does not. */
  leadTo(port: number | null): void {
    this.#port = port;
  }

  get mode(): FrontMode {
    return this.#mode;
  }

  /** Connections that there are break, or fall silent, too. */
  set mode(mode: FrontMode) {
    this.#mode = mode;
    if (mode === 'reset') this.breakAll();
    if (mode === 'silent') for (const way of this.#ways) way.silence();
    // what fell silent stays so: nobody knows what was lost
    if (mode === 'pass') for (const way of this.#ways) if (way.isStuck) way.destroy();
  }

  /** Connections that there are. */
  breakAll(): void {
    for (const way of this.#ways) way.destroy();
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
    this.connections++;
    const mode = this.#mode;
    if (mode === 'reset' || (this.#port === null && mode === 'pass')) {
      near.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const far = mode === 'silent' || this.#port === null ? null : connect({ ...loopback, port: this.#port });
    const way = new Way(near, far);
    this.#ways.add(way);
    near.on('close', () => this.#ways.delete(way));
    if (far === null) {
      this.#withoutNode(way);
      return;
    }
    near.on('data', (chunk: Buffer) => this.#forth(chunk, way, far));
    far.on('data', (chunk: Buffer) => this.#back(chunk, way));
    near.on('end', () => far.end());
    far.on('end', () => way.end());
    near.on('close', () => far.destroy());
    far.on('close', () => way.lost());
  }

  /** The node does not run, and what stands for it answers nevertheless, or says nothing. */
  #withoutNode(way: Way): void {
    if (this.#mode === 'status') way.near.once('data', () => way.refuse());
    else way.silence();
  }

  /** Heads of requests come whole: nodes send them at once. */
  #forth(chunk: Buffer, way: Way, far: Socket): void {
    const heads = chunk.toString('latin1').matchAll(/^([A-Z]+ [^ \r\n]+) HTTP\/1\.1\r$/gm);
    for (const [, request = ''] of heads) {
      if (this.loses(request)) {
        way.destroy();
        return;
      }
      this.requests.push(request);
      way.passed = 0;
    }
    if (this.#mode === 'status') {
      way.refuse();
      return;
    }
    this.onForth?.(chunk);
    far.write(chunk);
  }

  #back(chunk: Buffer, way: Way): void {
    this.back += chunk.length;
    const mode = this.#mode;
    if (typeof mode === 'object') way.interrupt(chunk, mode);
    else way.pass(chunk);
  }
}

const loopback = { host: '127.0.0.1', allowHalfOpen: true };

const refusal =
  'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\ndown\n';

/** One connection, and the one behind it. */
class Way {
  /** Of the answer that is under way. */
  passed = 0;
  /** Whether it will never again be as it was. */
  isStuck = false;
  #dripping: NodeJS.Timeout | null = null;

  constructor(
    readonly near: Socket,
    readonly far: Socket | null,
  ) {
    for (const socket of [near, far]) socket?.setNoDelay(true).on('error', () => undefined);
    near.on('drain', () => this.isStuck || far?.resume());
    near.on('close', () => {
      if (this.#dripping !== null) clearInterval(this.#dripping);
    });
  }

  pass(chunk: Buffer): void {
    this.passed += chunk.length;
    if (!this.near.write(chunk)) this.far?.pause();
  }

  interrupt(chunk: Buffer, { after, then }: Interruption): void {
    const left = Math.max(0, after - this.passed);
    this.pass(chunk.subarray(0, left));
    const rest = chunk.subarray(left);
    if (rest.length === 0) return;
    if (then === 'stall') this.silence();
    else if (then === 'trickle') this.#trickle(rest);
    else this.destroy();
  }

  /** What comes is taken no faster than it goes out. */
  #trickle(chunk: Buffer): void {
    this.isStuck = true;
    this.far?.pause();
    let at = 0;
    const drip = (): void => {
      this.near.write(chunk.subarray(at, ++at));
      if (at < chunk.length) return;
      if (this.#dripping !== null) clearInterval(this.#dripping);
      this.far?.resume();
    };
    this.#dripping = setInterval(drip, 1000).unref();
  }

  silence(): void {
    this.isStuck = true;
    this.near.pause();
    this.far?.pause();
  }

  refuse(): void {
    this.near.removeAllListeners('data').resume().end(refusal);
    this.far?.destroy();
  }

  /** The other side has said all, unless some of it is still on its way here. */
  end(): void {
    if (!this.isStuck) this.near.end();
  }

  /** The connection behind has gone. */
  lost(): void {
    if (!this.isStuck && !this.near.writableEnded) this.near.destroy();
  }

  destroy(): void {
    this.near.destroy();
    this.far?.destroy();
  }
}
