import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { keyIdOf } from '../../wlis/trust/public-key.js';
import { RunningClock } from '../support/running-clock.js';
import { SiteNode } from '../support/site-node.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import type { Sections } from '../support/willis.js';

export interface NamedCopiesOptions {
  readonly files: Readonly<Record<string, Buffer>>;
  /** How many replicas there are to which clients may be sent. */
  readonly replicas: number;
}

/** A primary, and replicas that it names to all clients, each of these a process of its own at an address of its own. */
export class NamedCopies {
  private constructor(
    readonly namespace: string,
    readonly primary: SiteNode,
    readonly replicas: readonly SiteNode[],
    private readonly room: TempDir,
  ) {}

  /** Fulfilled when all have everything, and the primary names all of them. */
  static async start({ files, replicas: count }: NamedCopiesOptions): Promise<NamedCopies> {
    const room = await TempDir.create();
    const clock = new RunningClock();
    const primaryConfig: Record<string, unknown> = {};
    const primary = await SiteNode.make({ name: 'primary', isProcess: false, clock, config: primaryConfig });
    const namespace = `${primary.front.url}/`;
    const config: Record<string, unknown> = {};
    const replicas = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        SiteNode.make({ name: `replica${i + 1}`, isProcess: true, clock, config, address: `127.0.0.${i + 2}` }),
      ),
    );
    const copies = new NamedCopies(namespace, primary, replicas, room);
    try {
      await copies.#start(primaryConfig, config, files);
      return copies;
    } catch (error) {
      await copies.close();
      throw error;
    }
  }

  /** The URL of a document. */
  at(name: string): string {
    return this.namespace + name;
  }

  /** The URL that an answer names as that of its metalink. */
  async metalinkOf(name: string): Promise<string> {
    const host = this.primary.front.authority;
    const { fields } = await this.primary.ask({ method: 'HEAD', target: `/${name}`, host, side: 'site' });
    const link = fields.find(([, value]) => value.includes('rel=describedby'))?.[1];
    const [, url] = /^<([^>]+)>/.exec(link ?? '') ?? [];
    if (url === undefined) throw new Error(`no metalink is named for ${name}`);
    return url;
  }

  /** Bytes that each of the nodes has sent, the primary first. */
  sent(): readonly number[] {
    return [this.primary, ...this.replicas].map(({ front }) => front.back);
  }

  async close(): Promise<void> {
    await Promise.all([this.primary, ...this.replicas].map((node) => node.close()));
    await this.room.remove();
  }

  async #start(primary: Record<string, unknown>, replica: Record<string, unknown>, files: NamedCopiesOptions['files']) {
    const keys = await Promise.all(this.replicas.map(({ data }) => new KeyDirectory(data.path).nodeKey()));
    const listed = keys.map(({ id }) => id);
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.room.path, name);
      await writeFile(path, content);
      // long ago: nobody is still writing it
      await utimes(path, 1_000_000_000, 1_000_000_000);
    }
    const { namespace: url } = this;
    const replicas: Sections = { listed, browsers: listed };
    primary['primary'] = { namespaces: [{ url, directory: this.room.path, replicas }] };
    await this.primary.start();
    await until(async () => (await this.primary.report()).documents >= Object.keys(files).length);
    const [chain] = await new KeyDirectory(this.primary.data.path).chains();
    const key = keyIdOf(chain?.at(-1)?.statement.rootKey ?? ('' as never));
    replica['wlis'] = { trust: { roots: [{ origin: new URL(url).origin, key }] } };
    replica['replicated'] = { namespaces: [{ url, from: this.primary.front.url }] };
    await Promise.all(this.replicas.map((node) => node.start()));
    for (const node of this.replicas) await until(async () => (await node.report()).state === 'in-step');
    await until(async () => (await this.#named()) === this.replicas.length);
  }

  /** How many replicas the primary names to clients. */
  async #named(): Promise<number> {
    const query = `namespace=${encodeURIComponent(this.namespace)}`;
    const target = `/.well-known/wlis/group?${query}`;
    const host = this.primary.front.authority;
    const { body } = await this.primary.ask({
      ...{ method: 'GET', target, host, side: 'site' },
      fields: { Accept: 'text/uri-list' },
    });
    return (
      body
        .toString()
        .split('\r\n')
        .filter((line) => line.startsWith('http')).length - 1
    );
  }
}
