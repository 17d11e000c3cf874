import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../faults/content.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { NamedCopies } from './named-copies.js';
import { needPrograms, runProgram, type Ended } from './programs.js';

const large = contentOf('large', 1, 0, 50_000_000);

/** How a tool is called to get something. */
type Arguments = (to: string, from: string) => readonly string[];

/** What came of a download, and how much of it each node has sent. */
interface Download {
  readonly ended: Ended;
  readonly content: Buffer;
  readonly sent: readonly number[];
}

describe('A tool that knows nothing of replicas but the fields of an answer (RFC 6249, RFC 5854)', function () {
  this.timeout(120_000);

  // the hosts that it knows are told apart by their addresses
  describe('aria2c', () => {
    works('aria2c', null, (to, from) => [
      ...['--no-conf', '-q', '--no-proxy=*', '-s', '4', '--min-split-size=1M', '--max-overall-download-limit=25M'],
      ...['-d', '/', '-o', to.slice(1), from],
    ]);
  });

  // it leaves the port out of Host
  describe('wget2', () => {
    works('wget2', 'http://127.0.0.1/', (to, from) => [
      ...['-q', '--no-config', '--no-proxy', '--max-threads=4', '-O', to, from],
    ]);
  });
});

/** @param url of the namespace; null for where the primary is found */
function works(program: string, url: string | null, argumentsFor: Arguments): void {
  let directory: TempDir;
  let copies: NamedCopies;
  before(async function () {
    needPrograms(this, program);
    directory = await TempDir.create();
    copies = await NamedCopies.start({ url, files: { 'large.bin': large }, replicas: 3 });
  });
  after(async () => {
    await (copies as NamedCopies | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  async function download(name: string): Promise<Download> {
    const to = join(directory.path, name);
    const before = copies.sent();
    const ended = await runProgram(program, argumentsFor(to, copies.at('large.bin')), { cwd: directory.path });
    const content = await readFile(to).catch(() => Buffer.alloc(0));
    return { ended, content, sent: copies.sent().map((bytes, i) => bytes - (before[i] ?? 0)) };
  }

  it('takes a file of 50 MB from several nodes at once', async () => {
    const { ended, content, sent } = await download('whole');
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(content.equals(large), `${content.length} bytes`);
    const sources = sent.filter((bytes) => bytes > 1_000_000);
    assert.ok(sources.length > 2, `several have sent something: ${sent.join(', ')}`);
  });

  it('has it whole when one of them is killed meanwhile', async () => {
    const downloading = download('continued');
    const before = copies.killable.front.back;
    await Promise.race([downloading, until(() => copies.killable.front.back > before + 500_000)]);
    await copies.killable.kill();
    const { ended, content, sent } = await downloading;
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(content.equals(large), `${content.length} bytes`);
    const [fromKilled = 0] = sent.slice(1);
    assert.ok(fromKilled > 500_000, `it had sent something: ${sent.join(', ')}`);
    assert.ok(fromKilled < large.length / 4, `and not all that it could: ${sent.join(', ')}`);
  });
}
