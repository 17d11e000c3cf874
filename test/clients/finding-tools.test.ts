import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../faults/content.js';
import { Constellation } from '../support/constellation.js';
import type { FrontMode } from '../support/node-front.js';
import { TempDir } from '../support/temp-dir.js';
import { AptMachine, packages, writeRepository } from './debian-repository.js';
import { filesOf } from './document-tree.js';
import { needPrograms, succeed } from './programs.js';

const large = contentOf('large', 1, 0, 6_000_000);

/** Of the primary and each replica in turn; who comes last is well. */
const faults: readonly (readonly FrontMode[])[] = [
  ['reset', { after: 1_000_000, then: 'cut' }, 'pass'],
  [{ after: 1_000_000, then: 'stall' }, 'pass', 'silent'],
  ['pass', 'status', { after: 300_000, then: 'trickle' }],
];

describe('Tools that know nothing of replicas, through a client-side proxy while nodes fail', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let all: Constellation;
  let proxy: string;
  before(async function () {
    needPrograms(this, 'curl', 'apt-get', 'dpkg-deb', 'wget2', 'aria2c');
    directory = await TempDir.create();
    await writeRepository(directory);
    const repository = Object.fromEntries(await filesOf(join(directory.path, 'repository')));
    all = await Constellation.start({
      files: { 'large.bin': large, ...repository },
      client: (namespace) => ({
        clientSide: { patience: '1s', choice: 'random' },
        wlis: { trust: { firstUse: true }, names: { files: namespace } },
      }),
    });
    proxy = `http://127.0.0.1:${all.client.running.port('proxy')}`;
    await all.learned('large.bin');
  });
  afterEach(() => (all as Constellation | undefined)?.mend());
  after(async () => {
    await (all as Constellation | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  /** Has it done once for each set of faults. */
  async function underFaults(work: (round: number) => Promise<void>): Promise<void> {
    for (const [round, modes] of faults.entries()) {
      all.mend();
      for (const [i, { front }] of all.site.nodes.entries()) front.mode = modes[i] ?? 'pass';
      await work(round);
    }
  }

  const downloaded = async (name: string): Promise<void> => {
    const got = await readFile(join(directory.path, name));
    assert.ok(got.equals(large), `${name}: ${got.length} bytes`);
  };

  it('curl gets a file whole', () =>
    underFaults(async (round) => {
      const to = join(directory.path, `curl${round}`);
      await succeed('curl', [
        '-sS',
        '--fail',
        '-x',
        proxy,
        '--noproxy',
        '',
        '-o',
        to,
        `${all.site.namespace}large.bin`,
      ]);
      await downloaded(`curl${round}`);
    }));

  it('curl goes on with a file of which it has a part', () =>
    underFaults(async (round) => {
      const name = `part${round}`;
      const to = await directory.write(name, large.subarray(0, 1_234_567));
      const from = `${all.site.namespace}large.bin`;
      await succeed('curl', ['-sS', '--fail', '-C', '-', '-x', proxy, '--noproxy', '', '-o', to, from]);
      await downloaded(name);
    }));

  // to proxies it names no port, so that a namespace needs a name without one
  it('wget2 gets a file whole, by a logical name', () =>
    underFaults(async (round) => {
      const to = join(directory.path, `wget${round}`);
      await succeed('wget2', ['--tries=1', '--http-proxy', proxy, '-O', to, 'http://files.wlis/large.bin']);
      await downloaded(`wget${round}`);
    }));

  it('aria2c gets a file in several parts at once', () =>
    underFaults(async (round) => {
      const options = ['-q', '--no-conf', '-x', '4', '-s', '4', '-k', '1M', `--http-proxy=${proxy}`, '--no-proxy='];
      const to = ['-d', directory.path, '-o', `aria${round}`];
      await succeed('aria2c', [...options, '--max-tries=1', ...to, `${all.site.namespace}large.bin`]);
      await downloaded(`aria${round}`);
    }));

  it('apt-get updates and downloads packages', () =>
    underFaults(async (round) => {
      const machine = new AptMachine(directory, `apt${round}`, all.site.namespace);
      const got = await machine.download(proxy, { 'Acquire::Retries': '0' });
      assert.equal(got.size, packages.length);
      const pool = await filesOf(join(directory.path, 'repository/pool'));
      const contents = (some: Map<string, Buffer>): string[] =>
        [...some.values()].map((one) => one.toString('hex')).sort();
      assert.deepEqual(contents(got), contents(pool));
    }));
});
