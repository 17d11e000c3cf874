import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecure, type ConnectionOptions } from 'node:tls';
import { parseRawHead, type RawHead } from './raw-head.js';

/** One whole response, with everything that came before it. */
export interface RawResponse extends RawHead {
  readonly body: Buffer;
  /** How the body's end was told. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** The 1xx responses that came before. */
  readonly informational: readonly RawHead[];
}

export interface RawClientOptions {
  readonly host?: string;
  /** Where the connection comes from, such as another of the loopback addresses. */
  readonly from?: string;
  /** Speak TLS; `rejectUnauthorized: false` or a `ca` is the test's choice. */
  readonly tls?: ConnectionOptions;
}

/**
 * A client that sends exactly the bytes it is told to and believes nothing: every answer is parsed strictly, and what
 * is not HTTP/1.1 to the letter makes the test fail.
 */
export class RawClient {
  /** Fulfilled when the connection has gone: by an end, or by a reset or another error. */
  readonly closed: Promise<'end' | 'reset'>;
  readonly socket: Socket;
  /** Joined only when it is looked at (`#received`): of a large body, piece by piece, that would take its square. */
  #pieces: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    let failed = false;
    socket.on('error', () => (failed = true));
    socket.on('data', (chunk: Buffer) => this.#arrive(chunk));
    socket.on('end', () => this.#finish());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#finish();
        resolve(failed ? 'reset' : 'end');
      });
    });
  }

  static async connect(port: number, options: RawClientOptions = {}): Promise<RawClient> {
    const { host = '127.0.0.1', from } = options;
    const target = { port, host, allowHalfOpen: true, ...(from !== undefined && { localAddress: from }) };
    const socket = options.tls === undefined ? connect(target) : connectSecure({ ...target, ...options.tls });
    const client = new RawClient(socket);
    await once(socket, options.tls === undefined ? 'connect' : 'secureConnect');
    socket.setNoDelay(true);
    return client;
  }

  /** Goes on with TLS over this connection, as after a CONNECT; this client is of no use afterwards. */
  async secure(options: ConnectionOptions): Promise<RawClient> {
    this.socket.removeAllListeners('data').removeAllListeners('end');
    const socket = connectSecure({ ...options, socket: this.socket });
    const client = new RawClient(socket);
    await once(socket, 'secureConnect');
    return client;
  }

  /** Bytes received that no answer has claimed: anything here after a whole response is too much. */
  get leftover(): Buffer {
    return this.#received;
  }

  send(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Sends a request line with its fields and an empty line, then the content if there is any. */
  request(method: string, target: string, fields: Readonly<Record<string, string>> = {}, body = ''): void {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    this.send(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }

  /** The next final response. `method` is that of the request it answers: HEAD and CONNECT change what follows the head. */
  async receive(method = 'GET'): Promise<RawResponse> {
    const informational: RawHead[] = [];
    for (;;) {
      const head = await this.receiveHead();
      if (head.status < 200 && head.status !== 101) informational.push(head);
      else return { ...head, ...(await this.#receiveContent(head, method)), informational };
    }
  }

  /** The next head only; the content stays to be taken by `take` or `rest`. */
  async receiveHead(): Promise<RawHead> {
    const end = await this.#find('\r\n\r\n');
    const text = this.#consume(end).toString('latin1');
    this.#consume(4);
    return parseRawHead(text);
  }

  /** Exactly that many bytes. */
  async take(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#more(`${count} bytes of content`);
    return this.#consume(count);
  }

  /** Everything until the other side ends or resets the connection. */
  async rest(): Promise<Buffer> {
    while (!this.#ended) await this.#next();
    return this.#consume(this.#length);
  }

  /** Reads no more, so that the other side's buffers fill up. */
  stopReading(): void {
    this.socket.pause();
  }

  goOnReading(): void {
    this.socket.resume();
  }

  /** Says that nothing more will be sent, and still listens. */
  halfClose(): void {
    this.socket.end();
  }

  /** Goes away by a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Goes away. Idempotent. */
  close(): void {
    this.socket.destroy();
  }

  async #receiveContent(head: RawHead, method: string): Promise<Pick<RawResponse, 'body' | 'framing' | 'trailers'>> {
    const none = { body: Buffer.alloc(0), framing: 'none', trailers: [] } as const;
    if (method === 'HEAD' || head.status === 101 || head.status === 204 || head.status === 304) return none;
    if (method === 'CONNECT' && head.status < 300) return none;
    if (head.chunked) return this.#receiveChunks();
    if (head.contentLength !== null) {
      return { body: await this.take(head.contentLength), framing: 'length', trailers: [] };
    }
    return this.#receiveUntilEnd();
  }

  /** A connection that was reset has not told the end of anything. */
  async #receiveUntilEnd(): Promise<Pick<RawResponse, 'body' | 'framing' | 'trailers'>> {
    const body = await this.rest();
    if (!this.socket.readableEnded) throw new Error('the connection was reset inside a body that its end delimits');
    return { body, framing: 'close', trailers: [] };
  }

  async #receiveChunks(): Promise<Pick<RawResponse, 'body' | 'framing' | 'trailers'>> {
    const chunks: Buffer[] = [];
    for (;;) {
      const line = await this.#line();
      const size = /^([0-9A-Fa-f]{1,13})(?:;[\t\x20-\x7e]*)?$/.exec(line)?.[1];
      if (size === undefined) throw new Error(`not a chunk line: ${JSON.stringify(line)}`);
      if (/^0+$/.test(size)) break;
      chunks.push(await this.take(Number.parseInt(size, 16)));
      const after = (await this.take(2)).toString('latin1');
      if (after !== '\r\n') throw new Error(`a chunk is followed by ${JSON.stringify(after)}`);
    }
    const lines: string[] = [];
    for (let line = await this.#line(); line !== ''; line = await this.#line()) lines.push(line);
    const { fields } = parseRawHead(['HTTP/1.1 200 trailers', ...lines].join('\r\n'));
    return { body: Buffer.concat(chunks), framing: 'chunked', trailers: fields };
  }

  async #line(): Promise<string> {
    const line = this.#consume(await this.#find('\r\n')).toString('latin1');
    this.#consume(2);
    return line;
  }

  async #find(text: string): Promise<number> {
    for (;;) {
      const at = this.#received.indexOf(text);
      if (at !== -1) return at;
      await this.#more(JSON.stringify(text));
    }
  }

  async #more(expected: string): Promise<void> {
    if (this.#ended) {
      const tail = JSON.stringify(this.#received.subarray(-200).toString('latin1'));
      throw new Error(`the connection ended where ${expected} was expected, after ${tail}`);
    }
    await this.#next();
  }

  async #next(): Promise<void> {
    await new Promise<void>((wake) => (this.#wake = wake));
  }

  get #received(): Buffer {
    const [first] = this.#pieces;
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }

  #consume(count: number): Buffer {
    const received = this.#received;
    this.#pieces = [received.subarray(count)];
    this.#length = received.length - count;
    return received.subarray(0, count);
  }

  #arrive(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#length += chunk.length;
    this.#wake?.();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
