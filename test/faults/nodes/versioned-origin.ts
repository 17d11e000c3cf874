import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { Seeded } from '../seeded.js';
import { bodyOf, resourceAt, resources, tagOf, type Resource } from './resource.js';

/** What an unsafe request has changed, as its answer says it: versions of paths, as they are from then on. */
export type Changed = Readonly<Record<string, number>>;

interface Piece {
  readonly from: number;
  readonly to: number;
}

/** An origin server whose resources change, which breaks off some of its answers, and knows of all what they were. */
export class VersionedOrigin {
  readonly #server: Server;
  readonly #random: Seeded;
  readonly #versions = new Map(resources.map(({ path }) => [path, 1]));
  readonly #brokenAt = new Map<string, number>();
  #requests = 0;

  private constructor(server: Server, random: Seeded) {
    this.#server = server;
    this.#random = random;
    server.keepAliveTimeout = 0;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response));
  }

  static async start(random: Seeded): Promise<VersionedOrigin> {
    const server = createServer();
    const origin = new VersionedOrigin(server, random);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** How many requests have come. */
  get requests(): number {
    return this.#requests;
  }

  version(path: string): number {
    return this.#versions.get(path) ?? 0;
  }

  /** From now on there is a new version of it. */
  change(path: string): void {
    this.#versions.set(path, this.version(path) + 1);
  }

  /** Whether an answer for that path was broken off, on purpose, since shortly before that time. */
  hasBroken(path: string, since: number): boolean {
    return (this.#brokenAt.get(path) ?? -Infinity) > since - 3000;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests++;
    request.resume();
    response.on('error', () => undefined);
    const resource = resourceAt(request.url ?? '');
    if (resource === undefined) response.writeHead(404).end();
    else if (request.method === 'POST') this.#changed(resource, request, response);
    else await this.#given(resource, request, response);
  }

  #changed(resource: Resource, request: IncomingMessage, response: ServerResponse): void {
    const group = request.headers['x-group'];
    const paths =
      typeof group === 'string' ? resources.filter(({ groups }) => groups.includes(group)).map(({ path }) => path) : [];
    const changed: Record<string, number> = {};
    for (const path of new Set([resource.path, ...paths])) {
      this.change(path);
      changed[path] = this.version(path);
    }
    if (typeof group === 'string') response.setHeader('Cache-Group-Invalidation', `"${group}"`);
    response.writeHead(204, { 'X-Changed': JSON.stringify(changed) }).end();
  }

  async #given(resource: Resource, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, lifetime, languages, groups, length } = resource;
    const language = languages.find((one) => one === request.headers['accept-language']) ?? 'en';
    const version = this.version(path);
    const tag = tagOf(resource, language, version);
    response.setHeader('ETag', tag);
    response.setHeader('Cache-Control', `max-age=${lifetime}`);
    response.setHeader('X-Version', version);
    response.setHeader('Accept-Ranges', 'bytes');
    if (languages.length > 1) response.setHeader('Vary', 'Accept-Language');
    if (groups.length > 0) response.setHeader('Cache-Groups', groups.map((one) => `"${one}"`).join(', '));
    const known = request.headers['if-none-match'];
    if (known?.includes(tag) === true) {
      response.writeHead(304).end();
      return;
    }
    const range = rangeOf(request, tag, length);
    const { from, to } = range ?? { from: 0, to: length };
    if (range !== null) response.writeHead(206, { 'Content-Range': `bytes ${from}-${to - 1}/${length}` });
    else if (resource.isLengthKnown) response.setHeader('Content-Length', length);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const isBroken = to - from > 20_000 && this.#random.chance(0.08);
    const end = isBroken ? this.#random.between(from, to - 1) : to;
    const wasSent = await this.#send(response, (one, other) => bodyOf(resource, language, version, one, other), {
      from,
      to: end,
    });
    if (!isBroken) response.end();
    else if (wasSent) {
      this.#brokenAt.set(path, performance.now());
      response.destroy();
    }
  }

  /** False if the client is gone. */
  async #send(
    response: ServerResponse,
    content: (from: number, to: number) => Buffer,
    { from, to }: Piece,
  ): Promise<boolean> {
    const isSlow = this.#random.chance(0.1);
    for (let at = from; at < to;) {
      const next = Math.min(to, at + this.#random.between(1000, 100_000));
      if (!response.write(content(at, next))) await turn();
      if (isSlow) await pause(5);
      if (response.destroyed) return false;
      at = next;
    }
    return true;
  }
}

function rangeOf({ headers }: IncomingMessage, tag: string, length: number): Piece | null {
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== tag) return null;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined || Number(first) >= length) return null;
  const to = last === undefined || last === '' ? length : Math.min(length, Number(last) + 1);
  return { from: Number(first), to };
}
