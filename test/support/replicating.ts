import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RunningClock } from './running-clock.js';
import type { RawResponse } from './raw-client.js';
import { TempDir } from './temp-dir.js';
import { until } from './waiting.js';
import { startWillis, type Sections, type Willis } from './willis.js';

export interface ReplicatingOptions {
  /** Files that are there from the beginning. */
  readonly files?: Readonly<Record<string, string>>;
  /** Of `primary.namespaces[0]`, besides its URL and its directory. */
  readonly keys?: Sections;
  /** Other sections of the primary. */
  readonly config?: Sections;
}

/** What a node says of itself beside an answer (`WLIS-Namespace`). */
export interface Said {
  readonly namespace: string;
  readonly role: 'primary' | 'replica';
  /** `<epoch>.<seq>`; null if it holds nothing. */
  readonly version: string | null;
}

/**
 * A primary that publishes a directory at `http://127.0.0.1:<port>/`, and replicas of it, all in this process. Their clocks are
 * two minutes ahead of that of the files, so that none of those looks as if somebody were still writing it.
 */
export class Replicating {
  readonly primary: Willis;
  readonly #temporary: TempDir;
  readonly #replicas: Willis[] = [];
  #keys: Sections;

  private constructor(primary: Willis, temporary: TempDir, keys: Sections) {
    this.primary = primary;
    this.#temporary = temporary;
    this.#keys = keys;
  }

  static async start({ files = {}, keys = {}, config = {} }: ReplicatingOptions = {}): Promise<Replicating> {
    const temporary = await TempDir.create();
    const node = { name: 'primary', data: temporary.path + '/primary' };
    const primary = await startWillis({ clock: aheadOfFiles(), config: { ...config, node, sites: [] } });
    const replicating = new Replicating(primary, temporary, { replicas: { accept: 'open' }, ...keys });
    try {
      await mkdir(replicating.directory);
      for (const [name, content] of Object.entries(files)) await replicating.write(name, content);
      await replicating.publish();
      return replicating;
    } catch (error) {
      await replicating.stop();
      throw error;
    }
  }

  /** Where the files are that are published. */
  get directory(): string {
    return this.path('site');
  }

  /** Of the primary, and of the namespace: `http://127.0.0.1:49152`. */
  get origin(): string {
    return `http://127.0.0.1:${this.primary.sitePort}`;
  }

  /** A place for other files, away with everything else at the end. */
  path(name: string): string {
    return join(this.#temporary.path, name);
  }

  /** Puts a file in its place, whole. */
  async write(name: string, content: string | Buffer, directory = this.directory): Promise<void> {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(this.path('.being-written'), content);
    await rename(this.path('.being-written'), path);
  }

  async delete(name: string): Promise<void> {
    await rm(join(this.directory, name), { recursive: true });
  }

  /** Changes keys of the published namespace while the primary runs; fulfilled when it publishes by them. */
  async publish(changes: Sections = {}): Promise<void> {
    this.#keys = { ...this.#keys, ...changes };
    const namespaces = [{ url: `${this.origin}/`, directory: this.directory, ...this.#keys }];
    await this.primary.reload({ node: { url: this.origin }, primary: { namespaces } });
  }

  /** Starts a node that replicates the namespace, unless its keys say otherwise; it need not have come to that yet. */
  async replica(keys: Sections = {}, config: Sections = {}): Promise<Willis> {
    const name = `replica-${this.#replicas.length + 1}`;
    const node = { name, data: this.path(name) };
    const usual = { wlis: { trust: { firstUse: true } }, log: { level: 'info', access: { format: 'off' } } };
    const replica = await startWillis({ clock: aheadOfFiles(), config: { ...usual, ...config, node, sites: [] } });
    this.#replicas.push(replica);
    await this.replicate(replica, keys, { node: { url: urlOf(replica) } });
    return replica;
  }

  /** Gives a node other keys of `replicated.namespaces[0]`, and other sections. */
  async replicate(replica: Willis, keys: Sections = {}, config: Sections = {}): Promise<void> {
    const namespaces = [{ url: `${this.origin}/`, from: this.origin, ...keys }];
    await replica.reload({ ...config, replicated: { namespaces } });
  }

  /** What a visitor gets there who asks for a document of the primary by its own name. */
  visit(path: string, node = this.primary, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
    return node.get(path, { Host: new URL(this.origin).host, ...fields });
  }

  /** The content of a document, or the status of the answer if that is another one than 200. */
  async content(path: string, node = this.primary): Promise<string> {
    const { status, body } = await this.visit(path, node);
    return status === 200 ? body.toString() : String(status);
  }

  /** What a node says of itself; null if it does not answer for the namespace. */
  async said(node = this.primary): Promise<Said | null> {
    const field = (await this.visit('/there-is-no-such-document', node)).get('wlis-namespace') ?? '';
    const [, namespace, role] = /^"([^"]*)";role=(primary|replica)/.exec(field) ?? [];
    if (namespace === undefined) return null;
    const [, epoch, seq] = /;epoch="([^"]*)";seq=(\d+)/.exec(field) ?? [];
    const version = epoch === undefined ? null : `${epoch}.${seq}`;
    return { namespace, role: role as Said['role'], version };
  }

  /** Whether a node answers by itself for a namespace of which it is no primary. */
  async holds(node: Willis): Promise<boolean> {
    const said = await this.said(node);
    return said?.role === 'replica' && said.version !== null;
  }

  /** Waits until the primary answers so. */
  async published(path: string, content: string): Promise<void> {
    await until(async () => (await this.content(path)) === content);
  }

  /** Waits until a replica holds what the primary has published by now. */
  async inStep(replica: Willis): Promise<void> {
    await until(async () => {
      const [there, here] = [await this.said(), await this.said(replica)];
      return there?.version != null && here?.role === 'replica' && here.version === there.version;
    });
  }

  /** Waits until the primary has refused to take a node into the group. */
  async refused(replica: Willis): Promise<void> {
    await until(() => replica.events.some(({ code, state }) => code === 'membership' && state !== undefined));
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.stop()));
    await this.primary.stop();
    await this.#temporary.remove();
  }
}

/** Where other nodes can reach it. */
export const urlOf = (node: Willis): string => `http://127.0.0.1:${node.sitePort}`;

const aheadOfFiles = (): RunningClock => new RunningClock(120_000);

/** What a node tells its operator of the only namespace that it holds: the samples of a metric together. */
export function metricOf(node: Willis, name: string): number {
  const lines = node.node.metrics.text().split('\n');
  const samples = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
