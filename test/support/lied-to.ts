import assert from 'node:assert/strict';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { LyingParent } from './lying-parent.js';
import { NodeFront } from './node-front.js';
import type { RawResponse } from './raw-client.js';
import { RunningClock } from './running-clock.js';
import { TempDir } from './temp-dir.js';
import { until } from './waiting.js';
import { startWillis, type LoggedEvent, type Sections, type Willis } from './willis.js';

export interface LiedToOptions {
  /** Keys of the namespace at the replica. */
  readonly replicated?: Sections;
  readonly replicaClock?: RunningClock;
  /** Files that are there from the beginning. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly seed?: number;
}

/**
 * A primary that publishes a directory, its replica, and a liar at the address of the primary, through whom the replica hears
 * all that it hears of it.
 */
export class LiedTo {
  primary!: Willis;
  replica!: Willis;
  /** All contents that a file has ever had; null while it did not exist. */
  readonly versions = new Map<string, (Buffer | null)[]>();
  #saved = 0;
  #isPublishing = false;

  private constructor(
    readonly liar: LyingParent,
    readonly front: NodeFront,
    readonly data: TempDir,
    readonly options: LiedToOptions,
  ) {}

  /** Both nodes run; the replica has begun to take over. */
  static async start(options: LiedToOptions = {}): Promise<LiedTo> {
    const [liar, front] = [await LyingParent.open(options.seed), await NodeFront.open()];
    const data = await TempDir.create();
    const all = new LiedTo(liar, front, data, options);
    await mkdir(all.#path('site'));
    await mkdir(all.#path('staging'));
    await all.save(options.files ?? {});
    all.#isPublishing = true;
    all.primary = await startWillis({
      clock: new RunningClock(),
      config: {
        ...usual(all.#path('p'), liar.url),
        primary: { namespaces: [{ url: all.namespace, directory: all.#path('site'), replicas: { accept: 'open' } }] },
      },
    });
    liar.leadTo(all.primary.sitePort);
    await until(async () => (await all.reportOf(all.primary)).version !== null);
    await all.startReplica();
    return all;
  }

  async startReplica(): Promise<void> {
    const { options, front, liar } = this;
    this.replica = await startWillis({
      clock: options.replicaClock ?? new RunningClock(),
      config: {
        ...usual(this.#path('r'), front.url),
        wlis: { trust: { firstUse: true } },
        replicated: { namespaces: [{ url: this.namespace, from: liar.url, pollEvery: '2s', ...options.replicated }] },
      },
    });
    front.leadTo(this.replica.sitePort);
  }

  /** The replica as it was is gone, with all that it knew. */
  async forgetReplica(): Promise<void> {
    await this.replica.stop();
    await rm(this.#path('r'), { recursive: true, force: true });
  }

  get namespace(): string {
    return `${this.liar.url}/`;
  }

  /** Puts files in the place of others, as editors do. */
  async save(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    const staged = Object.entries(files).map(([name, content]) => {
      return { name, content, path: this.#path('staging', String(this.#saved++)) };
    });
    for (const { path, content } of staged) await writeFile(path, content);
    await this.#nextTick();
    for (const { name, content, path } of staged) {
      this.#note(name, Buffer.from(content));
      const place = this.#path('site', name);
      await mkdir(dirname(place), { recursive: true });
      await rename(path, place);
    }
  }

  async remove(name: string): Promise<void> {
    this.#note(name, null);
    await rm(this.#path('site', name));
  }

  async reportOf(node: Willis): Promise<NamespaceReport> {
    const client = await node.connect(node.adminPort);
    client.request('GET', '/api/namespaces', { Host: 'localhost' });
    const { body } = await client.receive();
    client.close();
    const [report] = JSON.parse(body.toString()) as NamespaceReport[];
    assert.ok(report !== undefined, 'the node holds the namespace');
    return report;
  }

  visit(node: Willis, name: string): Promise<RawResponse> {
    return node.ask('GET', `/${name}`, { Host: this.liar.authority });
  }

  /** The primary has published what is in the files now. */
  async published(): Promise<void> {
    for (const name of this.versions.keys()) await until(() => this.#isPresent(this.primary, name));
  }

  /** The replica holds what the primary has published, which is what is in the files. */
  async inStep(): Promise<void> {
    await this.published();
    await until(async () => (await this.#isSame()) && (await this.#servesAll()));
  }

  /** Whatever the replica answers is what the primary has published at some time. @returns how many are not the newest */
  async assertGenuine(): Promise<number> {
    let old = 0;
    for (const [name, versions] of this.versions) {
      const { status, body } = await this.visit(this.replica, name);
      const version = versions.findLastIndex((content) => isVersion(status, body, content));
      assert.ok(version >= 0, `${name} is answered by ${status} with ${body.length} bytes that the primary never had`);
      if (version < versions.length - 1) old++;
    }
    return old;
  }

  /** Whether that is what the primary has published at some time under that name. */
  isGenuine(name: string, { status, body }: Pick<RawResponse, 'status' | 'body'>): boolean {
    return this.versions.get(name)?.some((content) => isVersion(status, body, content)) === true;
  }

  /** What the replica has written to its log of what it refused. */
  refusals(): readonly LoggedEvent[] {
    return this.replica.events.filter(({ code }) => code === 'refused');
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.replica.stop();
    await this.primary.stop();
    await this.front.close();
    await this.liar.close();
    await this.data.remove();
  }

  async #isSame(): Promise<boolean> {
    const [at, own] = [await this.reportOf(this.replica), await this.reportOf(this.primary)];
    return at.version !== null && at.version.root === own.version?.root && at.version.seq === own.version.seq;
  }

  /** The primary serves before it signs. */
  async #servesAll(): Promise<boolean> {
    for (const name of this.versions.keys()) if (!(await this.#isPresent(this.replica, name))) return false;
    return true;
  }

  async #isPresent(node: Willis, name: string): Promise<boolean> {
    const { status, body } = await this.visit(node, name);
    return isVersion(status, body, this.versions.get(name)?.at(-1) ?? null);
  }

  /** The clock of the file system has gone on: what is moved now was written before. */
  async #nextTick(): Promise<void> {
    const probe = this.#path('staging', 'probe');
    const touched = async (): Promise<number> => {
      await writeFile(probe, '');
      return (await stat(probe)).mtimeMs;
    };
    const before = await touched();
    await until(async () => (await touched()) > before);
  }

  #note(name: string, content: Buffer | null): void {
    const versions = this.versions.get(name) ?? (this.#isPublishing ? [null] : []);
    versions.push(content);
    this.versions.set(name, versions);
  }

  #path(...names: readonly string[]): string {
    return join(this.data.path, ...names);
  }
}

const isVersion = (status: number, body: Buffer, content: Buffer | null): boolean =>
  content === null ? status === 404 : status === 200 && body.equals(content);

const usual = (data: string, url: string): Sections => ({
  node: { name: 'willis', data, url },
  listen: { proxy: null, site: '127.0.0.1:0', admin: '127.0.0.1:0' },
  roles: [],
  sites: [],
  log: { level: 'warn', access: { format: 'off' } },
});
