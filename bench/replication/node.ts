import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fetchOnce } from '../fetch-once.js';
import type { Storage } from '../peers/peer.js';
import { makeScratch, removeScratch } from '../scratch.js';
import { freePort, ServerProcess } from '../server-process.js';
import { treeTicks } from './cpu-time.js';

const program = fileURLToPath(new URL('../../dist/proxy/main.js', import.meta.url));

/** What the program wants Node.js to be told, by its first line. */
const flags = (): string[] => /^#!.* node (.*)$/m.exec(readFileSync(program, 'utf8'))?.[1]?.split(' ') ?? [];

/** As `/api/namespaces` tells it, as far as it matters here. */
interface Report {
  readonly state: string;
  readonly documents: number;
  readonly version: { readonly seq: number } | null;
  readonly counters: { readonly bytesPulled: number; readonly bytesSpared: number };
}

export interface NodeOptions {
  readonly name: string;
  readonly core: number;
  /** Where its data directory is; on the disk of the machine unless something else is said. */
  readonly storage?: Storage;
  readonly signal: AbortSignal;
}

/** A node of the built program with its own data directory, which goes with it. */
export class BenchNode {
  private constructor(
    /** Of the public side; of a client-side proxy, that of the proxy. */
    readonly port: number,
    readonly server: ServerProcess,
    readonly directory: string,
    private readonly adminPort: number,
    private readonly signal: AbortSignal,
  ) {}

  /** @param more keys of the namespace, as in a map in one line */
  static async primary(site: string, fanOut: number, options: NodeOptions, more = ''): Promise<BenchNode> {
    const port = await freePort('127.0.0.1');
    const keys = `url: 'http://127.0.0.1:${port}/', directory: ${site}, replicas: { accept: open, fanOut: ${fanOut} }`;
    return BenchNode.#start(port, `primary:\n  namespaces: [{ ${keys}${more && `, ${more}`} }]\n`, options);
  }

  /** A client-side proxy. @param sections of its configuration, besides those that all have */
  static async client(sections: string, options: NodeOptions): Promise<BenchNode> {
    const port = await freePort('127.0.0.1');
    return BenchNode.#start(port, sections, options, 'proxy');
  }

  static async replica(of: BenchNode, options: NodeOptions): Promise<BenchNode> {
    const primary = `http://127.0.0.1:${of.port}`;
    const keys = `url: '${primary}/', from: '${primary}'`;
    const trust = 'wlis: { trust: { firstUse: true } }\n';
    return BenchNode.#start(await freePort('127.0.0.1'), `${trust}replicated:\n  namespaces: [{ ${keys} }]\n`, options);
  }

  static async #start(
    port: number,
    roles: string,
    { name, core, storage = 'disk', signal }: NodeOptions,
    side: 'site' | 'proxy' = 'site',
  ): Promise<BenchNode> {
    const directory = makeScratch(name, storage);
    try {
      const adminPort = await freePort('127.0.0.1');
      const file = join(directory, 'node.yaml');
      const [closed, url] = side === 'site' ? ['proxy', `, url: 'http://127.0.0.1:${port}'`] : ['site', ''];
      writeFileSync(
        file,
        `roles: [${side === 'site' ? '' : 'clientSide'}]
node: { name: ${name}, data: ${join(directory, 'data')}${url} }
listen: { ${closed}: null, ${side}: '127.0.0.1:${port}', admin: '127.0.0.1:${adminPort}' }
access: { destinations: { deny: [] } }
limits: { connections: 16384, perClientConnections: 16384 }
log: { level: warn, access: { format: 'off' } }
${roles}`,
      );
      const command = { file: process.execPath, args: [...flags(), program, 'run', '--config', file], core, directory };
      const server = await ServerProcess.start(command, `http://127.0.0.1:${adminPort}/api/namespaces`, signal);
      return new BenchNode(port, server, directory, adminPort, signal);
    } catch (error) {
      removeScratch(directory);
      throw error;
    }
  }

  async report(): Promise<Report> {
    const { body } = await fetchOnce(`http://127.0.0.1:${this.adminPort}/api/namespaces`, this.signal);
    const found = JSON.parse(body.toString()) as { namespaces: readonly [Report] } | readonly [Report];
    return 'namespaces' in found ? found.namespaces[0] : found[0];
  }

  /** Asks for that so often. @throws Error when it does not come to hold so many changes within some minutes */
  async holds(seq: number, every = 50): Promise<void> {
    for (let attempt = 0; attempt < 5000; attempt++) {
      const { state, version } = await this.report();
      if (state === 'in-step' && (version?.seq ?? 0) >= seq) return;
      await delay(every, undefined, { signal: this.signal });
    }
    throw new Error(`a node does not come to hold ${seq} changes: ${JSON.stringify(await this.report())}`);
  }

  /** How many requests it has answered, calls of other nodes included. */
  async answered(): Promise<number> {
    const { body } = await fetchOnce(`http://127.0.0.1:${this.adminPort}/metrics`, this.signal);
    const counts = body.toString().matchAll(/^willis_requests_total\{(.*)\} (\d+)$/gm);
    return [...counts].reduce(
      (sum, [, labels, count]) => (labels?.includes('side="site"') ? sum + Number(count) : sum),
      0,
    );
  }

  /** Seconds of CPU since it began. */
  get cpuSeconds(): number {
    return treeTicks(this.server.processes().map(({ pid }) => pid)) / 100;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    removeScratch(this.directory);
  }
}
