import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as ask,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Seeded } from '../faults/seeded.js';
import type { Gate } from './gate.js';

/** What the node behind would have answered. */
export interface Truth {
  /** Of the request. */
  readonly method: string;
  /** `changes`, `blob`, …; empty for an ordinary request. */
  readonly call: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
  /** Without those of framing and coding. */
  readonly fields: Readonly<Record<string, string>>;
  /** Not encoded. */
  readonly content: Buffer;
  /** What its head states; undefined if it does not. */
  readonly length: string | undefined;
  /** The first good answer to such a call that was ever passed on; null if there was none before this one. */
  readonly first: Truth | null;
}

/** What is answered instead: other parts of the answer, or whatever is written to the response. */
export interface Untruth {
  readonly status?: number;
  /** Besides those of the truth, or in their place; undefined to leave one out. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly content?: Buffer | string;
  /** Ends the answer, sooner or later, when whoever asked has gone at the latest. */
  readonly pour?: (response: ServerResponse) => void;
}

export interface Lie {
  readonly name: string;
  /** The calls of whose answers something else may be made. */
  readonly about: readonly string[];
  /** Null where it does not fit: then the truth is told. */
  readonly tell: (truth: Truth, random: Seeded) => Untruth | null | Promise<Untruth | null>;
}

/**
 * What others know of a node as its address: passes on what they ask, and makes of the answers what its present lie says.
 * Without one it is honest. Whatever it pours out, it pours no more than 64 MiB.
 */
export class LyingParent {
  /** `GET changes`, in the order in which they came in. */
  readonly calls: string[] = [];
  /** Answers that were altered since the lie was set. */
  told = 0;
  #lie: Lie | null = null;
  #port = 0;
  #gate: Gate | null = null;
  readonly #first = new Map<string, Truth>();
  readonly #random: Seeded;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(seed: number) {
    this.#random = new Seeded(seed);
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(seed = 1): Promise<LyingParent> {
    const parent = new LyingParent(seed);
    parent.#server.listen(0, '127.0.0.1');
    await once(parent.#server, 'listening');
    return parent;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.authority}`;
  }

  /** Where the node listens. */
  leadTo(port: number): void {
    this.#port = port;
  }

  /** Null: it is honest from now on. */
  set lie(lie: Lie | null) {
    this.#lie = lie;
    this.told = 0;
  }

  /** Answers nothing until the gate is open. */
  waitFor(gate: Gate): void {
    this.#gate = gate;
  }

  /** How many of the calls are such. */
  count(call: string): number {
    return this.calls.filter((one) => one === call).length;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const call = /^\/\.well-known\/wlis\/([a-z]+)/.exec(url)?.[1] ?? '';
    this.calls.push(`${method} ${call}`);
    await this.#gate?.promise;
    const truth = await this.#truth(request, response, call);
    const { fields, content } = truth;
    const untruth = this.#lie?.about.includes(call) === true ? await this.#lie.tell(truth, this.#random) : null;
    if (untruth !== null) this.told++;
    if (untruth?.pour !== undefined) {
      untruth.pour(response);
      return;
    }
    const said = Buffer.from(untruth?.content ?? content);
    const status = untruth?.status ?? truth.status;
    // what has no content may state the length of another answer
    const length = request.method === 'HEAD' || status === 304 ? truth.length : said.length;
    const all: OutgoingHttpHeaders = { ...fields, 'Content-Length': length, ...untruth?.fields };
    const sent = Object.entries(all).filter(([, value]) => value !== undefined);
    response.writeHead(status, Object.fromEntries(sent)).end(said);
  }

  async #truth(request: IncomingMessage, response: ServerResponse, call: string): Promise<Truth> {
    const { method = '', url: path = '', rawHeaders: headers } = request;
    const onward = ask({ host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers });
    request.pipe(onward);
    // who does not wait any more for what takes long
    response.once('close', () => onward.destroy());
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    const whole = Buffer.concat(chunks);
    const content = answer.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole;
    const first = this.#first.get(call) ?? null;
    const { statusCode: status = 500, headers: said } = answer;
    const truth = {
      method,
      call,
      path,
      status,
      fields: plainFields(answer),
      content,
      length: said['content-length'],
      first,
    };
    if (first === null && truth.status === 200) this.#first.set(call, truth);
    return truth;
  }
}

function plainFields({ rawHeaders }: IncomingMessage): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    if (!framing.has(name.toLowerCase())) fields[name] = value;
  }
  return fields;
}

const framing = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'content-encoding']);

/** Writes piece after piece as fast as they are taken, until the other side goes or 64 MiB were written. */
export function pour(response: ServerResponse, piece: () => Buffer): void {
  let written = 0;
  const more = (): void => {
    while (written < mostPoured && !response.destroyed) {
      const next = piece();
      written += next.length;
      if (!response.write(next)) {
        response.once('drain', more);
        return;
      }
    }
    response.destroy();
  };
  more();
}

const mostPoured = 64 * 1_048_576;
