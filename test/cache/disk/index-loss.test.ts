import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { openKeyValue } from '../../../proxy/base/key-value.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { isStored, key, only, put } from '../response-store/samples.js';
import { DiskExample, given } from './disk-example.js';

const count = 40;
const path = (i: number): ReturnType<typeof key> => key(`/${i}`);

describe('an index on disk that has lost something without saying so', () => {
  let example: DiskExample;
  let directory: string;

  beforeEach(async () => {
    example = await DiskExample.create();
    directory = join(example.directory, '..', 'copy');
  });
  afterEach(() => example.remove());

  /** The directory as a process leaves it that is killed now. */
  const killed = (): string => {
    example.copyAsKilled(example.directory, directory);
    return join(directory, 'index');
  };

  const fill = async (store: DiskStore): Promise<void> => {
    for (let i = 0; i < count; i++) await put(store, 'x', { key: path(i), groups: ['g'] });
  };

  const expectNothingFresh = async (store: DiskStore): Promise<void> => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      for (const one of await store.peek(path(i))) {
        found++;
        assert.equal(one.invalidated, true, one.key);
      }
    }
    assert.equal(store.usage().responses, found);
  };

  it('uses nothing without validation if its last changes are missing', async () => {
    const first = await example.open();
    await fill(first);
    const whole = readFileSync(logOf(join(example.directory, 'index'))).length;
    await first.invalidate(path(1));
    truncateSync(logOf(killed()), whole);
    const second = await example.open({ directory });
    await expectNothingFresh(second);
    assert.equal(second.usage().responses, count);
    assert.match(example.notices.join(), /lost its last changes/);
  });

  it('uses nothing without validation if changes in its midst are damaged', async () => {
    const first = await example.open();
    await fill(first);
    for (let i = 0; i < count; i++) await first.invalidate(path(i));
    const log = logOf(killed());
    const content = readFileSync(log);
    const at = Math.floor(content.length / 2);
    content.writeUInt8(content.readUInt8(at) ^ 4, at);
    writeFileSync(log, content);
    await expectNothingFresh(await example.open({ directory }));
    assert.match(example.notices.join(), /has lost changes/);
  });

  it('is repaired if it does not say where it begins, not begun anew among its files', async () => {
    const first = await example.open();
    await fill(first);
    await first.close();
    // what was stored before is in tables by now, what is stored now in a log
    const second = await example.open();
    await put(second, 'y', { key: path(0) });
    rmSync(join(killed(), 'CURRENT'));
    const third = await example.open({ directory });
    await expectNothingFresh(third);
    assert.equal(third.usage().responses, count);
    assert.equal(existsSync(join(directory, 'index', 'lost')), false);
  });

  it('gives the last of all versions after a repair, in whatever tables they are', async () => {
    for (let round = 0; round < 9; round++) {
      const store = await example.open();
      for (let i = 0; i < count; i++) await put(store, `${round}`, { key: path(i) });
      await store.close();
    }
    rmSync(join(killed(), 'CURRENT'));
    const store = await example.open({ directory });
    for (let i = 0; i < count; i++) assert.equal(await given(store, await only(store, path(i))), '8');
    await expectNothingFresh(store);
  });

  it('does not take up again a file that is to be deleted', async () => {
    const first = await example.open({ inline: bytes(0) });
    await put(first, 'x');
    await first.remove(await only(first));
    await put(first, 'y', { key: key('/other') });
    const index = await openKeyValue(killed());
    await index.change([{ type: 'del', key: 'm!totals' }]);
    await index.close();
    const second = await example.open({ directory });
    assert.equal(await isStored(second, key('/')), false);
    assert.equal((await only(second, key('/other'))).invalidated, true);
  });
});

const logOf = (index: string): string => {
  const name = readdirSync(index).find((one) => one.endsWith('.log'));
  assert.ok(name !== undefined, 'no name');
  return join(index, name);
};
