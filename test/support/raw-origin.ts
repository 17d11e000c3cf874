import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import type { TargetUri } from '../../proxy/http/target-uri.js';

/** Is given a request as text, body included as far as it came along; `index` counts the requests of the origin from 0. */
export type RawScript = (socket: Socket, requestText: string, index: number) => void;

export interface RawOriginOptions {
  /** PEM texts; with them the origin speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Called for each connection, before anything is read. */
  readonly onConnection?: (socket: Socket) => void;
}

/** A server on a free port of 127.0.0.1 that answers whatever bytes a script writes. */
export async function rawOrigin(script: RawScript, options: RawOriginOptions = {}): Promise<RawOrigin> {
  const origin = new RawOrigin(script, options);
  await origin.listen();
  return origin;
}

/** Writes so many bytes, as fast as they are taken. @returns how many were written so far, and when all were */
export function pour(socket: Socket, size: number): { readonly written: () => number; readonly done: Promise<void> } {
  let written = 0;
  const done = new Promise<void>((resolve) => {
    const more = (): void => {
      while (written < size) {
        written += 64_000;
        if (!socket.write(Buffer.alloc(64_000))) {
          socket.once('drain', more);
          return;
        }
      }
      resolve();
    };
    more();
  });
  return { written: () => written, done };
}

export class RawOrigin {
  /** Texts of all requests, in order of arrival. */
  readonly requests: string[] = [];
  /** All connections so far. */
  readonly connections: Socket[] = [];
  readonly #server: Server;
  readonly #secure: boolean;
  readonly #script: RawScript;
  readonly #options: RawOriginOptions;

  constructor(script: RawScript, options: RawOriginOptions) {
    this.#script = script;
    this.#options = options;
    this.#secure = options.tls !== undefined;
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server =
      options.tls === undefined
        ? createServer({ allowHalfOpen: true }, accept)
        : createSecureServer({ ...options.tls, ALPNProtocols: ['http/1.1'] }, accept);
    this.#server.on('tlsClientError', () => undefined);
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  target(path = '/', host = '127.0.0.1'): TargetUri {
    const scheme = this.#secure ? 'https' : 'http';
    return { scheme, host, port: this.port, authority: `${host}:${this.port}`, path };
  }

  /** Stops at once. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    this.connections.push(socket);
    socket.on('error', () => undefined);
    this.#options.onConnection?.(socket);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      const request = text;
      text = '';
      this.requests.push(request);
      this.#script(socket, request, this.requests.length - 1);
    });
    socket.on('end', () => socket.end());
  }
}
