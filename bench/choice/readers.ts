import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bytes } from '../../config/units.js';
import type { Chooser } from './choosers.js';

/** An origin server that gives as many bytes as its path says. */
export class SizedOrigin {
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((asked, answer) => {
      const size = Number(asked.url?.slice(1));
      answer.writeHead(200, { 'Content-Length': size });
      answer.end(Buffer.alloc(size));
    });
  }

  static async start(): Promise<SizedOrigin> {
    const origin = new SizedOrigin();
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

export interface ReadingOptions {
  readonly chooser: Chooser;
  readonly urls: readonly string[];
  readonly size: number;
  /** Readers at work at the same time, each with one request after the other. */
  readonly readers: number;
  /** Whether there is to be another request, so many having been begun. */
  readonly goesOn: (begun: number) => boolean;
  /** What a reader does between two requests, in milliseconds. */
  readonly pause: number;
  readonly signal: AbortSignal;
}

export interface ReadingResult {
  /** From asking to the last byte, in milliseconds. */
  readonly times: readonly number[];
  /** How many requests each URL got. */
  readonly shares: readonly number[];
}

/** Reads by a chooser, and tells it how that went, as the client side of a node does. */
export async function read(options: ReadingOptions): Promise<ReadingResult> {
  const { urls, readers, goesOn, pause, signal } = options;
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  const shares = urls.map(() => 0);
  let begun = 0;
  const reader = async (): Promise<void> => {
    while (!signal.aborted && goesOn(begun)) {
      begun++;
      const url = options.chooser.next(urls, options.size);
      const place = urls.indexOf(url);
      shares[place] = (shares[place] ?? 0) + 1;
      const since = performance.now();
      await readOne(url, options, agent);
      times.push(performance.now() - since);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  try {
    await Promise.all(Array.from({ length: readers }, reader));
    return { times, shares };
  } finally {
    agent.destroy();
  }
}

async function readOne(url: string, { chooser, size, signal }: ReadingOptions, agent: Agent): Promise<void> {
  const attempt = chooser.health.begin(url);
  const asked = request(`${url}/${size}`, { agent, signal });
  asked.end();
  try {
    const [answer] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
    attempt.answered();
    attempt.waits();
    for await (const chunk of answer) {
      attempt.received(bytes(chunk.length));
      attempt.waits();
    }
    attempt.done();
  } catch (error) {
    attempt.failed('broken');
    throw error;
  }
}
