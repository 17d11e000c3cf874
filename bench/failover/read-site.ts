import { setTimeout as delay } from 'node:timers/promises';
import { Asking } from '../../examples/demo/chaos/asking.js';
import { BenchNode } from '../replication/node.js';
import { writeSite } from '../replication/site-files.js';
import { makeScratch, removeScratch } from '../scratch.js';
import type { FailoverBench } from './failover-bench.js';

/** A site at a primary and a replica, both on the core that they share with the load, and proxies through which it is read. */
export class ReadSite {
  readonly #open: { stop: () => Promise<void> }[] = [];
  readonly #directory = makeScratch('site');
  /** The primary, and its replica. */
  #holders: readonly BenchNode[] = [];

  private constructor(
    private readonly bench: FailoverBench,
    readonly documents: number,
  ) {}

  static async start(bench: FailoverBench, documents: number, length: number): Promise<ReadSite> {
    const site = new ReadSite(bench, documents);
    try {
      await site.#begin(length);
      return site;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  /** What requests begin with that are sent to a proxy. */
  get url(): string {
    return `http://127.0.0.1:${this.#holders[0]?.port ?? 0}`;
  }

  get #replicaUrl(): string {
    return `http://127.0.0.1:${this.#holders[1]?.port ?? 0}`;
  }

  /** How many requests those who hold it have answered. */
  async answered(): Promise<number> {
    const counts = await Promise.all(this.#holders.map((holder) => holder.answered()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** One that believes nobody, and so goes to the primary as to any origin server. */
  ordinary(name: string, sections: string): Promise<BenchNode> {
    return this.#client(name, sections);
  }

  /** One that knows who holds the site, and has been seen to get it from the replica. */
  async finding(name: string, sections: string): Promise<BenchNode> {
    const client = await this.#client(name, `wlis: { trust: { firstUse: true } }\n${sections}`);
    const asking = new Asking(`http://127.0.0.1:${client.port}`);
    try {
      let said = '';
      for (let attempt = 0; attempt < 600; attempt++) {
        const target = `${this.url}/d0/${attempt % this.documents}.bin`;
        const { fields } = await asking.get(target, { 'Cache-Control': 'max-age=0' }, this.bench.signal);
        said = String(fields['cache-status']);
        if (said.includes(this.#replicaUrl)) return client;
        await delay(50, undefined, { signal: this.bench.signal });
      }
      throw new Error(`${name} does not come to ask the replica: ${said}`);
    } finally {
      asking.close();
    }
  }

  async stop(): Promise<void> {
    for (const one of this.#open.reverse()) await one.stop();
    removeScratch(this.#directory);
  }

  async #begin(length: number): Promise<void> {
    const { signal } = this.bench;
    writeSite(this.#directory, this.documents, length);
    const lasting = "headers: [{ match: '**', set: { Cache-Control: 'max-age=3600' } }]";
    const primary = await BenchNode.primary(this.#directory, 8, { name: 'primary', core: 1, signal }, lasting);
    this.#open.push(primary);
    await primary.holds(this.documents);
    const replica = await BenchNode.replica(primary, { name: 'replica', core: 1, signal });
    this.#open.push(replica);
    await replica.holds(this.documents);
    this.#holders = [primary, replica];
  }

  async #client(name: string, sections: string): Promise<BenchNode> {
    const client = await BenchNode.client(sections, { name, core: 0, signal: this.bench.signal });
    this.#open.push(client);
    return client;
  }
}
