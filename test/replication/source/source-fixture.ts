import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { systemClock, type Clock } from '../../../proxy/base/clock.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { BlobStore } from '../../../replication/blob-store.js';
import type { Change } from '../../../replication/change-list.js';
import { Publication } from '../../../replication/publication.js';
import { DirectorySource } from '../../../replication/source/directory-source.js';
import { parseDocument, type PublishedDocument } from '../../../replication/source/published-document.js';
import { usualSettleTimes } from '../../../replication/source/settling.js';
import { compileRules, usualRules, type SourceRules } from '../../../replication/source/source-rules.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';

/** A directory that is published, by a clock that the test moves; files count as old unless the test says otherwise. */
export class SourceFixture {
  readonly clock = new FakeClock(new Date().toISOString());
  /** The clock of the source, where the test does not move it. */
  #ownClock: Clock | null = null;
  /** Every publication, as it came. */
  readonly published: (readonly Change<string>[])[] = [];
  readonly events: string[] = [];
  blobs!: BlobStore;
  publication!: Publication;
  source!: DirectorySource;

  private constructor(
    readonly temporary: TempDir,
    public rules: Partial<SourceRules>,
    public limit: number,
  ) {
    // files that the test makes are older than a minute
    this.clock.advance(120_000);
  }

  static async create(rules: Partial<SourceRules> = {}, limit = 1e9): Promise<SourceFixture> {
    const fixture = new SourceFixture(await TempDir.create(), rules, limit);
    await mkdir(fixture.site);
    await fixture.open();
    return fixture;
  }

  get site(): string {
    return join(this.temporary.path, 'site');
  }

  get data(): string {
    return join(this.temporary.path, 'data');
  }

  async open(): Promise<void> {
    const clock = this.#ownClock ?? this.clock;
    const logger = createLogger({
      level: 'info',
      write: (line) => this.events.push((JSON.parse(line) as { code: string }).code),
    });
    this.blobs = await BlobStore.open({
      directory: join(this.data, 'blobs'),
      limit: bytes(this.limit),
      keep: milliseconds(600_000),
      clock,
      onDamaged: () => undefined,
    });
    this.publication = await Publication.open({
      namespace: parseNamespace('http://site.example/'),
      path: join(this.data, 'journal'),
      blobs: this.blobs,
      clock,
      logger,
      onPublished: (changes) => this.published.push(changes),
    });
    this.source = await DirectorySource.open({
      directory: this.site,
      rules: compileRules({ ...usualRules, ...this.rules }, true),
      publication: this.publication,
      blobs: this.blobs,
      factsPath: join(this.data, 'facts'),
      clock,
      logger,
      scanEvery: milliseconds(60_000),
      watch: this.#ownClock !== null,
      times: usualSettleTimes,
    });
  }

  async close(): Promise<void> {
    await this.source.stop();
    await this.publication.close();
    await this.blobs.close();
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  async remove(): Promise<void> {
    await this.close();
    await this.temporary.remove();
  }

  /** From now on by the clock of the machine, and told by the system of what happens. */
  async live(): Promise<void> {
    await this.close();
    this.#ownClock = systemClock;
    await this.open();
    this.source.start();
    await this.source.scan();
  }

  /** A file whose content was modified long ago, as by a copy that keeps times. */
  async write(name: string, content: string | Buffer = `content of ${name}`): Promise<void> {
    const path = join(this.site, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }

  async link(name: string, target: string): Promise<void> {
    const path = join(this.site, name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, `${path}.new`);
    await rename(`${path}.new`, path);
  }

  async delete(name: string): Promise<void> {
    await rm(join(this.site, name), { recursive: true });
  }

  /** Time of the file system is that of the machine: so much later by its own, the test's clock has gone on as well. */
  pass(duration: number): void {
    this.clock.advance(duration);
  }

  /** So that the clock of the test reads what the machine does: what is written now is new. */
  setToNow(): void {
    this.clock.step(systemClock.now() - this.clock.now());
  }

  async touch(name: string): Promise<void> {
    const now = new Date();
    await utimes(join(this.site, name), now, now);
  }

  /** Two looks with enough time between for what is missing to be gone. */
  async scan(): Promise<void> {
    await this.source.scan();
    this.pass(1001);
    await this.source.scan();
  }

  /** What the operator is told. */
  problem(): string {
    return this.source.status.problem?.message ?? 'nothing';
  }

  document(path: string): PublishedDocument | null {
    const text = this.publication.list.latest(path)?.document;
    return text == null ? null : parseDocument(path, text);
  }

  /** Paths of what is published, sorted. */
  paths(): string[] {
    return [...this.publication.list.changes()]
      .filter(({ document }) => document !== null)
      .map(({ path }) => path)
      .sort();
  }

  /** Content of a document, in the coding given; null for what is not published. */
  async content(path: string, coding: string | null = null): Promise<Buffer | null> {
    const variant = this.document(path)?.variants.find((one) => one.coding === coding);
    if (variant === undefined) return null;
    const chunks: Buffer[] = [];
    for await (const chunk of this.blobs.read(variant.digest, bytes(0), variant.length, variant.blocks))
      chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async text(path: string): Promise<string | null> {
    return (await this.content(path))?.toString() ?? null;
  }
}
