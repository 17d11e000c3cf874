import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../proxy/base/clock.js';
import { gate } from './gate.js';

/** A request as the origin server received it. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target as sent. */
  readonly url: string;
  readonly httpVersion: string;
  /** Names in lower case, as `node:http` combines them. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turns, as received. */
  readonly rawHeaders: readonly string[];
  /** Empty until received; complete before the handler runs, unless the origin was started with `early`. */
  readonly body: Buffer;
  /** The message itself, for handlers that read the body as it comes. */
  readonly message: IncomingMessage;
  /** How the exchange ended: the answer was written to its end, or the connection went before. */
  readonly ended: Promise<'finished' | 'aborted'>;
}

/** Writes the answer; `index` counts the requests of this origin from 0. */
export type OriginHandler = (request: RecordedRequest, response: ServerResponse, index: number) => void | Promise<void>;

export interface OriginOptions {
  /** PEM texts; with them the origin speaks TLS. */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /** Where the `Date` of its answers comes from; the system's clock if absent. */
  readonly clock?: Clock;
  /** Run the handler as soon as the head of a request is there, and do not read the body. */
  readonly early?: boolean;
}

/** Starts an origin server on a free port of 127.0.0.1. A handler that throws answers 500. */
export async function startOrigin(handler: OriginHandler, options: OriginOptions = {}): Promise<ScriptedOrigin> {
  const server = options.tls === undefined ? createServer() : createSecureServer(options.tls);
  const origin = new ScriptedOrigin(server, handler, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return origin;
}

/** An origin server that does what a test says and remembers what it was asked. */
export class ScriptedOrigin {
  /** All requests so far, in order of arrival. */
  readonly requests: RecordedRequest[] = [];
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: Server;
  readonly #options: OriginOptions;
  readonly #waiting: { count: number; wake: () => void }[] = [];
  #handler: OriginHandler;

  constructor(server: Server, handler: OriginHandler, options: OriginOptions) {
    this.#server = server;
    this.#handler = handler;
    this.#options = options;
    server.keepAliveTimeout = 0;
    server.on(options.tls === undefined ? 'connection' : 'secureConnection', () => this.connections++);
    server.on('request', (message, response) => void this.#receive(message, response));
    server.on('checkContinue', (message, response) => {
      if (options.early !== true) response.writeContinue();
      void this.#receive(message, response);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `host:port`, as a `Host` field names it. */
  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  url(path = '/'): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.authority}${path}`;
  }

  /** How many requests came, for one path or for all. */
  count(path?: string): number {
    return this.requests.filter(({ url }) => path === undefined || url === path).length;
  }

  get last(): RecordedRequest {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('the origin has received no request');
    return last;
  }

  /** Answers differently from now on. */
  handle(handler: OriginHandler): void {
    this.#handler = handler;
  }

  /** Fulfilled once that many requests have come since the start. */
  async received(count: number): Promise<void> {
    if (this.requests.length >= count) return;
    await new Promise<void>((wake) => this.#waiting.push({ count, wake }));
  }

  /** Stops at once, whatever is under way. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const index = this.requests.length;
    const { request, append } = record(message, response);
    this.requests.push(request);
    for (const one of this.#waiting) if (one.count <= this.requests.length) one.wake();
    if (this.#options.clock !== undefined) {
      response.sendDate = false;
      response.setHeader('Date', new Date(this.#options.clock.now()).toUTCString());
    }
    try {
      if (this.#options.early !== true) for await (const chunk of message) append(chunk as Buffer);
      await this.#handler(request, response, index);
    } catch (error) {
      // A broken upload is the test's business, and `ended` tells of it.
      if (message.complete) fail(response, error);
    }
  }
}

function record(message: IncomingMessage, response: ServerResponse) {
  const ended = gate();
  response.once('close', () => ended.open());
  const chunks: Buffer[] = [];
  const request: RecordedRequest = {
    method: message.method ?? '',
    url: message.url ?? '',
    httpVersion: message.httpVersion,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    get body() {
      return Buffer.concat(chunks);
    },
    message,
    ended: ended.promise.then(() => (response.writableFinished ? 'finished' : 'aborted')),
  };
  return { request, append: (chunk: Buffer) => chunks.push(chunk) };
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(500, { 'Content-Type': 'text/plain' });
  response.end(`the test's handler failed: ${String(error)}`);
}
