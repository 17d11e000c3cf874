import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ScanReport } from '../../replication/replication-control.js';
import type { RawResponse } from './raw-client.js';
import { RunningClock } from './running-clock.js';
import { SiteNode, type VisitorRequest } from './site-node.js';
import { TempDir } from './temp-dir.js';
import { until } from './waiting.js';
import type { Sections } from './willis.js';

export interface NodeChoice {
  readonly isProcess?: boolean;
  /** How wrong its clock is, in milliseconds; of one in this process. */
  readonly clockOffset?: number;
  /** Keys of its namespace. */
  readonly keys?: Sections;
}

/** A site in a directory, its primary and its replicas, all real nodes. */
export class ReplicatedSite {
  readonly replicas: SiteNode[] = [];
  #release = 0;

  private constructor(
    readonly primary: SiteNode,
    readonly directory: string,
    private readonly room: TempDir,
  ) {}

  /** Nothing runs and nothing is published yet. */
  static async make({ isProcess = false, keys = {} }: NodeChoice = {}): Promise<ReplicatedSite> {
    const room = await TempDir.create();
    const directory = join(room.path, 'site');
    await mkdir(join(room.path, 'staged', 'release0'), { recursive: true });
    await symlink(join('staged', 'release0'), directory);
    const clock = new RunningClock();
    const config: Record<string, unknown> = {};
    const primary = await SiteNode.make({ name: 'primary', isProcess, clock, config });
    const namespace = `${primary.front.url}/`;
    const replicas = { accept: 'open', ...(keys['replicas'] as Sections | undefined) };
    config['primary'] = { namespaces: [{ url: namespace, directory, ...keys, replicas }] };
    return new ReplicatedSite(primary, directory, room);
  }

  /** `http://127.0.0.1:1234/` */
  get namespace(): string {
    return `${this.primary.front.url}/`;
  }

  /** Where requests for it say that they go. */
  get host(): string {
    return this.primary.front.authority;
  }

  get nodes(): readonly SiteNode[] {
    return [this.primary, ...this.replicas];
  }

  /** A replica that does not run yet. */
  async addReplica({ isProcess = false, clockOffset = 0, keys = {} }: NodeChoice = {}): Promise<SiteNode> {
    const name = `replica${this.replicas.length + 1}`;
    const namespaces = [{ url: this.namespace, from: this.primary.front.url, ...keys }];
    const config = { wlis: { trust: { firstUse: true } }, replicated: { namespaces } };
    const node = await SiteNode.make({ name, isProcess, clock: new RunningClock(clockOffset), config });
    this.replicas.push(node);
    return node;
  }

  /** A chain: each is the parent of the next, where the primary has a fan-out of one. */
  async startChain(count: number, choice: NodeChoice = {}): Promise<readonly SiteNode[]> {
    for (let i = 0; i < count; i++) {
      const above = this.nodes.at(-1) as SiteNode;
      const replica = await this.addReplica(choice);
      await replica.start();
      await this.inStep([replica]);
      await this.pullsFrom(replica, above);
    }
    return this.replicas;
  }

  /** Puts a file into place when it is finished, as editors and rsync do. */
  async put(name: string, content: string | Buffer): Promise<void> {
    const staged = join(this.room.path, 'staged', randomBytes(8).toString('hex'));
    await writeFile(staged, content);
    await utimes(staged, written, written);
    const path = join(this.directory, name);
    await mkdir(dirname(path), { recursive: true });
    await rename(staged, path);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.directory, name), { recursive: true });
  }

  /** From one name to another. */
  async move(from: string, to: string): Promise<void> {
    await mkdir(dirname(join(this.directory, to)), { recursive: true });
    await rename(join(this.directory, from), join(this.directory, to));
  }

  /** Has the directory of the site, which is a symlink, lead to a new release of it. */
  async release(files: Readonly<Record<string, string>>): Promise<void> {
    const name = `release${++this.#release}`;
    for (const [file, content] of Object.entries(files)) {
      const path = join(this.room.path, 'staged', name, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      await utimes(path, written, written);
    }
    const link = join(this.room.path, 'staged', `link${this.#release}`);
    await symlink(join('staged', name), link);
    await rename(link, this.directory);
  }

  /** Waits until the primary has published all that was put into the directory, and these hold it. */
  async inStep(nodes: readonly SiteNode[] = this.replicas): Promise<void> {
    await this.published();
    for (const node of nodes) await until(() => this.isInStep(node));
  }

  /** Waits until a replica pulls from that node. */
  async pullsFrom(replica: SiteNode, above: SiteNode): Promise<void> {
    await until(async () => (await replica.report()).parent === above.front.url);
  }

  /** Whether a replica holds just what the primary has signed. */
  async isInStep(node: SiteNode): Promise<boolean> {
    const [primary, replica] = [await this.primary.report(), await node.report()];
    const [own, other] = [primary.version, replica.version];
    return own !== null && own.epoch === other?.epoch && own.seq === other.seq && own.root === other.root;
  }

  /** Waits until all that was put into the directory is finished, published and signed; removals take a while longer. */
  async published(): Promise<void> {
    await until(async () => (await this.primary.report()).state === 'in-step');
    await until(async () => (await this.#scan()).unsettled === 0);
  }

  async #scan(): Promise<ScanReport> {
    const { body } = await this.primary.ask({
      ...{ method: 'POST', target: '/api/changed', host: 'localhost', side: 'admin' },
      ...{ fields: { 'Content-Type': 'application/json' }, body: JSON.stringify({ namespace: this.namespace }) },
    });
    const last = body.toString().trimEnd().split('\n').at(-1) ?? '';
    const { result } = JSON.parse(last) as { readonly result?: readonly [ScanReport] };
    if (result === undefined) throw new Error(`the directory was not looked at: ${last}`);
    return result[0];
  }

  /** A GET for a document, by its path. */
  get(node: SiteNode, path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
    return node.ask(this.visit(path, { fields }));
  }

  visit(path: string, changes: Partial<VisitorRequest> = {}): VisitorRequest {
    return { method: 'GET', target: `/${path}`, host: this.host, side: 'site', ...changes };
  }

  /** What a node serves as a document, or its status. */
  async text(node: SiteNode, path: string): Promise<string> {
    const { status, body } = await this.get(node, path);
    return status === 200 ? body.toString() : String(status);
  }

  /** Ends all of them, and what they stored. */
  async close(): Promise<void> {
    await Promise.all(this.replicas.map((node) => node.close()));
    await this.primary.close();
    await this.room.remove();
  }
}

/** Long before it is moved to its place, whatever the clock of the file system can tell apart. */
const written = new Date(Date.UTC(2026, 0, 1));
