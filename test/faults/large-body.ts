import { once } from 'node:events';
import { createServer, get, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { WillisProcess } from '../support/willis-process.js';
import { contentOf } from './content.js';

export interface LargeBodyFigures {
  /** MiB a second: through the node into the store; out of it; by ranges side by side; by a range after the node was killed. */
  readonly storing: number;
  readonly reading: number;
  readonly ranges: number;
  readonly afterKill: number;
  /** From the start of the second process to the first bytes of the range, in milliseconds. */
  readonly back: number;
  /** What of the memory of the machine the node had before it was asked for anything, and at most, in MiB. */
  readonly memoryBefore: number;
  readonly memoryAtMost: number;
}

const mebibyte = 1024 * 1024;
const readers = 8;

/**
 * Has a node store one large body and give it again, as a whole and by ranges, also after it was killed.
 * @throws Error if a byte is wrong, or if anything after the first request is not from the store
 */
export async function tryLargeBody(size: number): Promise<LargeBodyFigures> {
  const directory = await TempDir.create();
  const origin = await serve(size);
  let node: WillisProcess | null = null;
  const watch = new MemoryWatch();
  try {
    const config = {
      ...{ node: { name: 'willis', data: join(directory.path, 'data') }, roles: [] },
      listen: { proxy: null, site: '127.0.0.1:0', admin: null },
      sites: [{ host: '*', origin: `http://127.0.0.1:${portOf(origin)}/` }],
      cache: { memory: '1MiB', disk: 2 * size + 64 * mebibyte, maxDocument: size },
      log: { access: { format: 'off' } },
    };
    const file = await directory.write('proxy.config.yaml', JSON.stringify(config));
    node = await WillisProcess.start(file);
    const memoryBefore = await node.memory();
    watch.begin(node);
    const all = { from: 0, to: size };
    const storing = await timed(size, () => expect(node, all, 'fwd=uri-miss'));
    await stored(node);
    const reading = await timed(size, () => expect(node, all, 'hit'));
    const part = Math.floor(size / readers);
    const parts = Array.from({ length: readers }, (_, i) => ({ from: i * part + i, to: (i + 1) * part }));
    const ranges = await timed(size, () => Promise.all(parts.map((one) => expect(node, one, 'hit'))));
    await node.kill();
    const killed = performance.now();
    node = await WillisProcess.start(file);
    watch.begin(node);
    await expect(node, { from: size - 1000, to: size }, 'hit');
    const back = Math.round(performance.now() - killed);
    const afterKill = await timed(size - part, () => expect(node, { from: part, to: size }, 'hit'));
    return { storing, reading, ranges, afterKill, back, memoryBefore, memoryAtMost: watch.end() };
  } finally {
    watch.end();
    await node?.kill();
    origin.closeAllConnections();
    origin.close();
    await directory.remove();
  }
}

interface Piece {
  readonly from: number;
  readonly to: number;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function serve(size: number): Promise<Server> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Length': size, ETag: '"1"', 'Cache-Control': 'max-age=100000' });
    let at = 0;
    const write = (): void => {
      while (at < size) {
        const next = Math.min(size, at + mebibyte);
        const chunk = contentOf('large', 1, at, next);
        at = next;
        if (!response.write(chunk)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Asks for a piece, and compares it as it comes. */
async function expect(node: WillisProcess | null, { from, to }: Piece, outcome: string): Promise<void> {
  const headers = { Host: 'site.test', Range: `bytes=${from}-${to - 1}` };
  const isWhole = outcome !== 'hit';
  const asked = get({
    port: node?.port('site'),
    host: '127.0.0.1',
    path: '/large',
    agent: false,
    headers: isWhole ? { Host: 'site.test' } : headers,
  });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const status = String(response.headers['cache-status']);
  if (response.statusCode !== (isWhole ? 200 : 206) || !status.includes(outcome))
    throw new Error(`${response.statusCode ?? 0} ${status}, where ${outcome} was expected`);
  let at = from;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (!chunk.equals(contentOf('large', 1, at, at + chunk.length))) throw new Error(`wrong bytes behind ${at}`);
    at += chunk.length;
  }
  if (at !== to) throw new Error(`${at - from} bytes, where ${to - from} were expected`);
}

/** The last bytes of a body are with the client before it is stored. */
const stored = (node: WillisProcess): Promise<void> =>
  until(async () => {
    const headers = { 'Cache-Control': 'only-if-cached' };
    const asked = request({
      port: node.port('site'),
      host: '127.0.0.1',
      path: '/large',
      method: 'HEAD',
      headers: { Host: 'site.test', ...headers },
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode === 200;
  });

/** MiB a second. */
async function timed(size: number, work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return Math.round((size / mebibyte / (performance.now() - begun)) * 1000);
}

/** How much memory processes have at most. */
class MemoryWatch {
  #most = 0;
  #timer: NodeJS.Timeout | undefined;

  begin(node: WillisProcess): void {
    this.end();
    const look = (): void => {
      node.memory().then(
        (memory) => (this.#most = Math.max(this.#most, memory)),
        // it has ended
        () => undefined,
      );
    };
    this.#timer = setInterval(look, 100);
  }

  /** In MiB. */
  end(): number {
    clearInterval(this.#timer);
    return Math.round(this.#most);
  }
}
