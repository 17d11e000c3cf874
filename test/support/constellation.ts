import assert from 'node:assert/strict';
import { LyingParent } from './lying-parent.js';
import type { RawResponse } from './raw-client.js';
import { ReplicatedSite } from './replicated-site.js';
import { RunningClock } from './running-clock.js';
import { SiteNode } from './site-node.js';
import { until } from './waiting.js';
import type { Sections } from './willis.js';

export interface ConstellationOptions {
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly replicas?: number;
  /** Keys of the namespace at its primary. */
  readonly keys?: Sections;
  /** Sections of the client-side proxy, in the place of those that it has here; where they need it, by the namespace. */
  readonly client?: Sections | ((namespace: string) => Sections);
  /** Whether there is a WLIS directory, whom the client-side proxy asks. */
  readonly hasDirectory?: boolean;
  /** Whether all but the directory run as processes of their own. */
  readonly isProcess?: boolean;
  readonly clientClock?: RunningClock;
}

/**
 * A site in a directory, its primary, its replicas, a WLIS directory if there is to be one, and a client-side proxy that stores
 * nothing unless it is told to: each of them behind a front that fails as networks do, or behind a liar.
 */
export class Constellation {
  readonly #liars: LyingParent[] = [];

  private constructor(
    readonly site: ReplicatedSite,
    readonly directory: SiteNode | null,
    public client: SiteNode,
    private readonly options: ConstellationOptions,
  ) {}

  /** All run; the replicas hold everything. The client-side proxy knows nothing of them. */
  static async start(options: ConstellationOptions): Promise<Constellation> {
    const site = await ReplicatedSite.make({ isProcess: options.isProcess ?? false, keys: options.keys ?? {} });
    try {
      return await Constellation.#startAround(site, options);
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  static async #startAround(site: ReplicatedSite, options: ConstellationOptions): Promise<Constellation> {
    const { files, replicas = 2, isProcess = false, hasDirectory = false } = options;
    for (const [name, content] of Object.entries(files)) await site.put(name, content);
    await site.primary.start();
    await site.published();
    for (let i = 0; i < replicas; i++) await (await site.addReplica({ isProcess })).start();
    await site.inStep();
    const directory = hasDirectory ? await startDirectory([site.primary.front.url]) : null;
    try {
      return new Constellation(site, directory, await startClient(site, directory, options), options);
    } catch (error) {
      await directory?.close();
      throw error;
    }
  }

  /** Puts a client-side proxy that knows nothing yet in the place of the one that there is. */
  async forgetClient(): Promise<void> {
    await this.client.close();
    this.client = await startClient(this.site, this.directory, this.options);
  }

  get replicas(): readonly SiteNode[] {
    return this.site.replicas;
  }

  get primary(): SiteNode {
    return this.site.primary;
  }

  /** One request to the client-side proxy, and its answer. */
  get(path: string, fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> {
    const { client, site } = this;
    return client.ask({ method, target: site.namespace + path, host: site.host, side: 'proxy', fields });
  }

  /** What a visitor gets from the primary itself, past its front. */
  truth(path: string, fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> {
    return this.primary.ask(this.site.visit(path, { fields, method }));
  }

  /** Waits until the client-side proxy asks the members of the group by themselves. @param path of a document */
  async learned(path: string): Promise<void> {
    const before = this.rawRequests();
    await until(async () => {
      await this.get(path);
      return this.rawRequests() > before;
    });
  }

  /** Raw answers that were asked for anywhere. */
  rawRequests(nodes: readonly SiteNode[] = this.site.nodes): number {
    return nodes.reduce((sum, { front }) => sum + front.count('GET /.well-known/wlis/raw/'), 0);
  }

  /** From now on others reach that node through somebody who may lie. */
  async corrupt(node: SiteNode, seed = 1): Promise<LyingParent> {
    const liar = await LyingParent.open(seed);
    this.#liars.push(liar);
    liar.leadTo(node.running.port('site'));
    node.front.breakAll();
    node.front.leadTo(liar.port);
    return liar;
  }

  /** Every node but the client-side proxy answers as it should. */
  mend(): void {
    for (const { front } of this.site.nodes) front.mode = 'pass';
    for (const liar of this.#liars) liar.lie = null;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.client.close();
    await this.directory?.close();
    await this.site.close();
    for (const liar of this.#liars) await liar.close();
  }
}

async function startClient(
  { namespace }: ReplicatedSite,
  directory: SiteNode | null,
  { isProcess = false, clientClock = new RunningClock(), client: given = {} }: ConstellationOptions,
): Promise<SiteNode> {
  const own = typeof given === 'function' ? given(namespace) : given;
  const config = { ...clientSections(directory === null ? [] : [directory.front.url]), ...own };
  const client = await SiteNode.make({ name: 'client', isProcess, clock: clientClock, config });
  try {
    await client.start();
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** A WLIS directory that learns from those nodes. */
export async function startDirectory(peers: readonly string[]): Promise<SiteNode> {
  const directory = await SiteNode.make({
    ...{ name: 'directory', isProcess: false, clock: new RunningClock() },
    config: { roles: ['wlis'], wlis: { trust: { firstUse: true }, peers, exchangeEvery: '1s' } },
  });
  await directory.start();
  return directory;
}

/** Whether anything that went to a node had a cookie or credentials. Call before it is asked for the first time. */
export function credentialsSentTo({ front }: SiteNode): () => boolean {
  let wereSent = false;
  front.onForth = (sent) => (wereSent ||= /^(?:cookie|authorization):/im.test(sent.toString('latin1')));
  return () => wereSent;
}

/** Of a client-side proxy that keeps nothing, so that every request shows what becomes of it. */
export const clientSections = (peers: readonly string[]): Sections => ({
  roles: ['clientSide'],
  wlis: { trust: { firstUse: true }, peers },
  cache: { memory: 0 },
  clientSide: { patience: '1s' },
});

/** An answer without what each hop says for itself. */
export function endToEnd({ status, fields }: RawResponse): readonly string[] {
  const lines = fields
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .filter((line) => !ownOfHop.test(line) && !/^link:.*;\s*wlis\b/.test(line));
  return [String(status), ...lines.sort()];
}

const ownOfHop =
  /^(?:date|age|via|cache-status|proxy-status|connection|keep-alive|transfer-encoding|content-length|warning|wlis-[a-z-]+):/;

/** The two say the same, byte for byte. */
export function assertSame(answer: RawResponse, truth: RawResponse, what: string): void {
  assert.deepEqual(endToEnd(answer), endToEnd(truth), what);
  assert.ok(answer.body.equals(truth.body), `${what}: the bytes differ, ${answer.body.length} of ${truth.body.length}`);
}
