import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A request as the parent proxy received it. */
export interface RelayedRequest {
  readonly method: string;
  /** The request target as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ParentOptions {
  /** PEM texts; with them the parent proxy speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** What `Proxy-Authorization` must say; everything else is answered by 407. */
  readonly authorization?: string;
  /** Where names lead that the parent proxy is asked for; all to 127.0.0.1 if absent. */
  readonly resolve?: (host: string) => string;
}

/** Starts a proxy on a free port of 127.0.0.1 that does what a parent proxy should, and remembers what it was asked. */
export async function startParent(options: ParentOptions = {}): Promise<ScriptedParent> {
  const parent = new ScriptedParent(options);
  await parent.listen();
  return parent;
}

export class ScriptedParent {
  /** All requests so far, CONNECTs included, in order of arrival. */
  readonly requests: RelayedRequest[] = [];
  /** Connections accepted so far. */
  connections = 0;
  readonly #options: ParentOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #authorization: string | undefined;

  constructor(options: ParentOptions) {
    this.#options = options;
    this.#authorization = options.authorization;
    this.#server = options.tls === undefined ? createServer() : createSecureServer(options.tls);
    this.#server.keepAliveTimeout = 0;
    this.#server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.connections++;
      this.#keep(socket);
    });
    this.#server.on('request', (request, response) => this.#relay(request, response));
    this.#server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#tunnel(request, socket, head);
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** The requests with that method. */
  asked(method: string): RelayedRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** Lets only requests with that `Proxy-Authorization` through from now on. */
  demand(authorization: string): void {
    this.#authorization = authorization;
  }

  /** Stops at once. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #admits(request: IncomingMessage): boolean {
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, url, headers });
    return this.#authorization === undefined || headers['proxy-authorization'] === this.#authorization;
  }

  #relay(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#admits(request)) {
      response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="parent"', 'Content-Length': '6' }).end('who?\r\n');
      return;
    }
    const { hostname, port, pathname, search } = new URL(request.url ?? '');
    const via = [request.headers.via ?? [], '1.1 parent'].flat().join(', ');
    const headers = { ...request.headers, via };
    delete headers['proxy-authorization'];
    const onward = forward(
      { host: this.#resolve(hostname), port, method: request.method, path: pathname + search, headers },
      (answer) => {
        const { via: received, ...rest } = answer.headers;
        response.writeHead(answer.statusCode ?? 502, {
          ...rest,
          via: [received ?? [], '1.1 parent'].flat().join(', '),
        });
        answer.pipe(response);
        answer.once('close', () => {
          if (!answer.complete) response.destroy();
        });
      },
    );
    onward.on('error', () => {
      if (response.headersSent) response.destroy();
      else
        response.writeHead(502, { 'Content-Type': 'text/plain', Via: '1.1 parent' }).end('the parent cannot reach it');
    });
    request.pipe(onward);
  }

  #tunnel(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => undefined);
    if (!this.#admits(request)) {
      socket.end('HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm="parent"\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [, host = '', port] = /^(.*):(\d+)$/.exec(request.url ?? '') ?? [];
    let established = false;
    const onward = connect({ host: this.#resolve(host), port: Number(port), allowHalfOpen: true }, () => {
      established = true;
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      if (head.length > 0) onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    this.#keep(onward);
    socket.once('close', () => onward.destroy());
    onward.on('error', () => {
      if (established) socket.destroy();
      else socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nno\r\n');
    });
  }

  #resolve(host: string): string {
    return this.#options.resolve?.(host) ?? '127.0.0.1';
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }
}
