import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../support/waiting.js';
import { SourceFixture } from './source-fixture.js';

describe('a source that is told by the system of what happens', () => {
  let fixture: SourceFixture;

  beforeEach(async () => {
    fixture = await SourceFixture.create();
  });

  afterEach(() => fixture.remove());

  const replace = async (name: string, content: string): Promise<void> => {
    await writeFile(join(fixture.site, `${name}.tmp`), content);
    await pause(10);
    await rename(join(fixture.site, `${name}.tmp`), join(fixture.site, name));
  };

  it('publishes without a scan: files saved by renaming, new directories, files in them, removals', async () => {
    await fixture.write('d/a.txt', 'one');
    await fixture.live();
    await replace('d/a.txt', 'two');
    await until(async () => (await fixture.text('d/a.txt')) === 'two');
    await fixture.write('e/f/g.txt', 'new');
    await until(async () => (await fixture.text('e/f/g.txt')) === 'new');
    await replace('e/f/g.txt', 'newer');
    await until(async () => (await fixture.text('e/f/g.txt')) === 'newer');
    await fixture.delete('e');
    await until(() => fixture.paths().join() === 'd/a.txt');
    // the directory comes back under its name, and is another one
    await fixture.write('e/f/g.txt', 'again');
    await until(async () => (await fixture.text('e/f/g.txt')) === 'again');
    await replace('e/f/g.txt', 'and again');
    await until(async () => (await fixture.text('e/f/g.txt')) === 'and again');
  });

  it('sees at once that a link on the way to the directory leads elsewhere, and publishes that as one set', async () => {
    const release = (name: string): string => join(fixture.temporary.path, 'releases', name);
    await rm(fixture.site, { recursive: true });
    for (const version of ['1', '2']) {
      for (const page of ['a', 'b', 'c'])
        await fixture.temporary.write(`releases/${version}/${page}`, `${page} of ${version}`);
    }
    await symlink(release('1'), fixture.site);
    await fixture.live();
    await until(() => fixture.paths().length === 3);
    fixture.published.length = 0;
    await symlink(release('2'), `${fixture.site}.new`);
    await rename(`${fixture.site}.new`, fixture.site);
    await until(() => fixture.published.length > 0);
    assert.deepEqual(
      fixture.published.map((set) => set.map(({ path }) => path)),
      [['a', 'b', 'c']],
    );
    await writeFile(join(release('2'), 'a'), 'edited');
    await until(async () => (await fixture.text('a')) === 'edited');
  });

  it('sees that files are links through one that is swapped', async () => {
    for (const version of ['1', '2']) await fixture.write(`..${version}/a.txt`, `a of ${version}`);
    await fixture.link('..data', '..1');
    await fixture.link('a.txt', '..data/a.txt');
    await fixture.live();
    await until(async () => (await fixture.text('a.txt')) === 'a of 1');
    await fixture.link('..data', '..2');
    await until(async () => (await fixture.text('a.txt')) === 'a of 2');
  });

  it('never publishes a mixture while a large file is written in place, again and again', async () => {
    const size = 3_000_000;
    const version = (n: number): Buffer => Buffer.alloc(size, `version ${n} `);
    const digests = new Set([0, 1, 2].map((n) => createHash('sha256').update(version(n)).digest('hex')));
    await fixture.write('large', version(0));
    await fixture.live();
    await until(() => fixture.paths().length === 1);
    const file = await open(join(fixture.site, 'large'), 'r+');
    for (const n of [1, 2]) {
      for (let at = 0; at < size; at += 300_000) {
        await file.write(version(n), at, Math.min(300_000, size - at), at);
        await pause(40);
      }
    }
    await file.close();
    await until(async () => (await fixture.content('large'))?.equals(version(2)) === true);
    const seen = fixture.published
      .flat()
      .map(({ document }) => /"digest":"([0-9a-f]{64})"/.exec(document ?? '')?.[1] ?? '');
    assert.notEqual(seen.length, 0);
    assert.deepEqual(
      seen.filter((one) => !digests.has(one)),
      [],
    );
  });
});
