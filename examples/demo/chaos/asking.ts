import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { within } from '../within.js';

export interface Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks by a proxy, as browsers and tools do that were told of one. */
export class Asking {
  readonly #proxy: { readonly host: string; readonly port: number };
  readonly #agent = new Agent({ keepAlive: true });

  /** @param proxy `http://127.0.0.1:12345` */
  constructor(proxy: string) {
    const { hostname, port } = new URL(proxy);
    this.#proxy = { host: hostname, port: Number(port) };
  }

  /** @throws Error if no whole answer comes in time */
  get(url: string, fields: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    return within(patience, signal, (limit) => this.#get(url, fields, limit));
  }

  #get(url: string, fields: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const headers = { Host: new URL(url).host, ...fields };
    return new Promise((resolve, reject) => {
      const options = { ...this.#proxy, path: url, headers, agent: this.#agent, signal };
      request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
        response.on('end', () => {
          if (!response.complete) reject(new Error('the answer broke off'));
          else resolve({ status: response.statusCode ?? 0, fields: response.headers, body: Buffer.concat(parts) });
        });
      })
        .on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error))
        .end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const patience = 60_000;
