import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytes, milliseconds } from '../../config/units.js';
import { createLogger } from '../../proxy/base/logger.js';
import { BlobStore } from '../../replication/blob-store.js';
import { recordDigestOf } from '../../replication/document-record.js';
import type { Edition } from '../../replication/held-namespace.js';
import { PrimaryNamespace, type PrimaryNamespaceOptions } from '../../replication/primary-namespace.js';
import { compileRules, usualRules, type SourceRules } from '../../replication/source/source-rules.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { openHead, type SignedHead } from '../../wlis/trust/head.js';
import type { SigningKey } from '../../wlis/trust/jws.js';
import { defaultGrace } from '../../wlis/trust/namespace-policy.js';
import { recordKey } from '../../wlis/trust/record.js';
import { Trie } from '../../wlis/trust/trie.js';
import { FakeClock } from '../support/fake-clock.js';
import { TempDir } from '../support/temp-dir.js';
import { keyNamed } from '../wlis/trust/keys-example.js';

export const site = parseNamespace('http://site.example/');

/** A primary of a directory in a temporary place, by a clock that the test moves. */
export class PrimaryFixture {
  readonly clock = new FakeClock(new Date().toISOString());
  readonly events: string[] = [];
  rules: Partial<SourceRules> = {};
  options: Partial<PrimaryNamespaceOptions> = {};
  /** What the members are heard to have at the start. */
  members: (signal: AbortSignal) => Promise<readonly SignedHead[]> = () => Promise.resolve([]);
  blobs!: BlobStore;
  primary!: PrimaryNamespace;

  private constructor(
    readonly temporary: TempDir,
    readonly key: SigningKey,
  ) {
    // files that the test makes are older than a minute
    this.clock.advance(120_000);
  }

  static async create(): Promise<PrimaryFixture> {
    const fixture = new PrimaryFixture(await TempDir.create(), await keyNamed('signer'));
    await mkdir(fixture.directory);
    await fixture.open();
    return fixture;
  }

  get directory(): string {
    return join(this.temporary.path, 'site');
  }

  get data(): string {
    return join(this.temporary.path, 'data');
  }

  async open(): Promise<void> {
    const { clock } = this;
    const logger = createLogger({
      level: 'info',
      write: (line) => this.events.push((JSON.parse(line) as { code: string }).code),
    });
    this.blobs = await BlobStore.open({
      directory: join(this.temporary.path, 'blobs'),
      limit: bytes(1e9),
      keep: milliseconds(600_000),
      clock,
      onDamaged: () => undefined,
    });
    this.primary = await PrimaryNamespace.open({
      namespace: site,
      directory: this.directory,
      rules: compileRules({ ...usualRules, ...this.rules }, true),
      dataDirectory: this.data,
      blobs: this.blobs,
      signer: () => Promise.resolve(this.key),
      policy: {
        consistency: { mode: 'eventual' },
        grace: defaultGrace,
        complete: true,
        credentials: 'ignore',
        query: 'ignore',
        search: false,
      },
      heartbeat: milliseconds(60_000),
      headLifetime: milliseconds(300_000),
      keepRemovals: milliseconds(30 * 86_400_000),
      memberPatience: milliseconds(50),
      scanEvery: milliseconds(60_000),
      watch: false,
      clock,
      logger,
      ...this.options,
    });
  }

  /** Opens it where it is closed, starts it, and has everything looked at. */
  async start(): Promise<Edition> {
    await this.primary.start(this.members);
    await this.scan();
    return this.edition;
  }

  async close(): Promise<void> {
    await this.primary.stop();
    await this.blobs.close();
  }

  async restart(): Promise<void> {
    await this.close();
    await this.open();
    await this.start();
  }

  async remove(): Promise<void> {
    await this.close();
    await this.temporary.remove();
  }

  get edition(): Edition {
    if (this.primary.edition === null) throw new Error('there is no edition');
    return this.primary.edition;
  }

  get head(): SignedHead['head'] {
    return this.edition.head.head;
  }

  async write(name: string, content = `content of ${name}`): Promise<void> {
    const path = join(this.directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }

  async delete(name: string): Promise<void> {
    await rm(join(this.directory, name), { recursive: true });
  }

  /** Two looks with enough time between for what is missing to be gone. */
  async scan(): Promise<void> {
    await this.primary.scan();
    this.clock.advance(1001);
    await this.primary.scan();
  }

  async publish(name: string, content?: string): Promise<Edition> {
    await this.write(name, content);
    this.clock.advance(120_000);
    await this.scan();
    return this.edition;
  }

  /** Puts the state of the primary, and nothing else, where `restore` finds it. */
  async backUp(): Promise<void> {
    await this.close();
    await cp(this.data, `${this.data}.backup`, { recursive: true });
    await this.open();
    await this.start();
  }

  /** The state of that time comes back; the process is started again. */
  async restore(): Promise<void> {
    await this.close();
    await rm(this.data, { recursive: true });
    await cp(`${this.data}.backup`, this.data, { recursive: true });
    await this.open();
  }

  /** The head of the edition as somebody who has the key reads it. */
  opened(): Promise<SignedHead> {
    const { key, edition } = this;
    return openHead(edition.head.jws, site, (id) => (id === key.id ? key.publicKey : null));
  }
}

/** Whether list, trie and head belong together. */
export function isOfOnePiece({ head: { head }, trie, list }: Edition): boolean {
  return head.seq === list.last && head.root === trie.root && trie.root === trieOf({ head: { head }, list }).root;
}

/** Made anew from the list. */
export function trieOf({ head: { head }, list }: Pick<Edition, 'list'> & { head: Pick<SignedHead, 'head'> }): Trie {
  const entries = [...list.changes()].flatMap((change) => {
    const record = recordDigestOf(change, head.namespace, head.epoch);
    return record === null ? [] : [{ key: recordKey({ namespace: head.namespace, path: change.path }), record }];
  });
  return Trie.of(entries);
}
