import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../faults/content.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { NamedCopies } from './named-copies.js';
import { needPrograms, runProgram, type Ended } from './programs.js';

const large = contentOf('large', 1, 0, 50_000_000);

/** What came of a download, and how much of it each node has sent, the primary first. */
interface Download {
  readonly ended: Ended;
  readonly content: Buffer;
  readonly sent: readonly number[];
}

describe('A tool that knows nothing of replicas but the fields of an answer (RFC 6249, RFC 5854)', function () {
  this.timeout(180_000);
  let directory: TempDir;
  let copies: NamedCopies;
  before(async () => {
    directory = await TempDir.create();
    copies = await NamedCopies.start({ files: { 'large.bin': large }, replicas: 4 });
  });
  after(async () => {
    await (copies as NamedCopies | undefined)?.close();
    await directory.remove();
  });

  async function download(program: string, args: readonly string[], name: string): Promise<Download> {
    const cwd = join(directory.path, `${program}-${name}`);
    await mkdir(cwd);
    const before = copies.sent();
    const ended = await runProgram(program, args, { cwd });
    const content = await readFile(join(cwd, 'large.bin')).catch(() => Buffer.alloc(0));
    return { ended, content, sent: copies.sent().map((bytes, i) => bytes - (before[i] ?? 0)) };
  }

  const isWhole = ({ ended, content, sent }: Download): void => {
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(content.equals(large), `${content.length} bytes, sent by each: ${sent.join(', ')}`);
  };

  /** Kills a replica that has begun to send it. */
  async function killSource(downloading: Promise<unknown>): Promise<void> {
    const before = copies.sent();
    const begun = () => copies.replicas.find((_, i) => (copies.sent()[i + 1] ?? 0) > (before[i + 1] ?? 0) + 500_000);
    await Promise.race([until(() => begun() !== undefined), downloading]);
    const source = begun();
    assert.ok(source, 'a replica has sent something');
    await source.kill();
  }

  // this one reads links in redirects alone, so that it is shown the one that it would follow; nor does it leave a dead mirror: it comes before any is killed
  describe('wget2, by the metalink that they name', () => {
    const args = async () => ['-q', '--no-config', '--no-proxy', await copies.metalinkOf('large.bin')];
    before(function () {
      needPrograms(this, 'wget2');
    });

    it('takes it from a replica, and compares it with its digests', async () => {
      const got = await download('wget2', await args(), 'whole');
      isWhole(got);
      assert.ok((got.sent[0] ?? 0) < 200_000, `the primary has sent but the metalink: ${got.sent.join(', ')}`);
    });
  });

  describe('aria2c, by Link and Digest', () => {
    const split = ['-s', '5', '--min-split-size=1M', '--max-overall-download-limit=25M'];
    const args = () => ['--no-conf', '-q', '--no-proxy=*', ...split, copies.at('large.bin')];
    before(function () {
      needPrograms(this, 'aria2c');
    });

    it('takes a file of 50 MB from the primary and all replicas at once', async () => {
      const got = await download('aria2c', args(), 'whole');
      isWhole(got);
      for (const bytes of got.sent) assert.ok(bytes > 500_000, `each has sent something: ${got.sent.join(', ')}`);
    });

    it('has it whole when a replica is killed meanwhile', async () => {
      const downloading = download('aria2c', args(), 'killed');
      await killSource(downloading);
      isWhole(await downloading);
    });
  });
});
