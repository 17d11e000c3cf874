import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bytes, milliseconds } from '../../../config/units.js';
import { KeyValueError, openKeyValue, type KeyValueChange } from '../../../proxy/base/key-value.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { DiskStoreError } from '../../../proxy/cache/disk/disk-store-error.js';
import { gate } from '../../support/gate.js';
import { draft, isStored, key, only, put } from '../response-store/samples.js';
import { DiskExample, given } from './disk-example.js';
import { FaultyFileSystem } from './faulty-file-system.js';

type OpenRecords = NonNullable<DiskOptions['openRecords']>;

const count = 30;
const path = (i: number): ReturnType<typeof key> => key(`/${i}`);

describe('a store on disk at its start', () => {
  let example: DiskExample;

  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  const fill = async (over: Partial<DiskOptions> = {}): Promise<void> => {
    const store = await example.open(over);
    for (let i = 0; i < count; i++) await put(store, 'x'.repeat(i), { key: path(i), groups: ['g'] });
    await store.close();
  };

  const inIndex = async (changes: readonly KeyValueChange[]): Promise<void> => {
    const index = await openKeyValue(join(example.directory, 'index'));
    await index.change(changes);
    await index.close();
  };

  const freshCount = async (store: DiskStore): Promise<number> => {
    let fresh = 0;
    for (let i = 0; i < count; i++) for (const one of await store.peek(path(i))) if (!one.invalidated) fresh++;
    return fresh;
  };

  const fault = async (over: Partial<DiskOptions>): Promise<DiskStoreError> => {
    try {
      await example.open(over);
    } catch (error) {
      assert.ok(error instanceof DiskStoreError, String(error));
      return error;
    }
    return assert.fail('it was opened');
  };

  describe('on a disk that can be written to for the moment', () => {
    for (const [what, operation, code] of [
      ['not for it is full', 'writeText', 'ENOSPC'],
      ['not for it is read-only', 'open', 'EROFS'],
      ['not for it fails', 'rename', 'EIO'],
    ] as const) {
      it(`${what}, is unwell, and goes on with what it had when that is over`, async () => {
        await fill();
        const system = new FaultyFileSystem();
        system.fail(operation, code);
        const store = await example.open({ system });
        assert.equal(store.isWell, false);
        assert.match(String(example.unwell), new RegExp(code));
        assert.equal(store.write(draft(store)), null);
        assert.deepEqual(await store.lookUp(path(1)), []);
        system.work();
        await example.nextWell();
        assert.equal(await freshCount(store), count);
        await put(store, 'y');
        assert.equal(await given(store), 'y');
      });
    }

    it('not, trusts nothing that it could not invalidate meanwhile', async () => {
      await fill();
      const system = new FaultyFileSystem();
      system.fail('open', 'EROFS');
      const store = await example.open({ system });
      await store.invalidate(path(1));
      system.work();
      await example.nextWell();
      assert.equal(await freshCount(store), 0);
      assert.equal(await isStored(store, path(1)), true);
    });

    it('not, can be closed, and leaves everything as it was', async () => {
      await fill();
      const system = new FaultyFileSystem();
      system.fail('writeText', 'ENOSPC');
      await (await example.open({ system })).close();
      assert.equal(await freshCount(await example.open()), count);
    });

    it('not, is refused where there is no store yet', async () => {
      const system = new FaultyFileSystem();
      system.fail('writeText', 'ENOSPC');
      assert.equal((await fault({ system })).fault, 'unusable');
    });
  });

  describe('with an index that has to be repaired', () => {
    const damaged = (until: Promise<unknown>): OpenRecords => {
      let opened = 0;
      return async (...all) => {
        opened++;
        if (opened <= 2) throw new KeyValueError('damaged', 'corruption');
        await until;
        return openKeyValue(...all);
      };
    };

    it('has waited for it when it is open', async () => {
      await fill({ inline: bytes(0) });
      const store = await example.open({ inline: bytes(0), openRecords: damaged(Promise.resolve()) });
      assert.equal(store.isWell, true);
      assert.equal(store.usage().responses, count - 1);
      assert.deepEqual(example.unwell, []);
    });

    it('waits no longer than it is told to, goes on in its time, and keeps other processes out', async () => {
      await fill({ inline: bytes(0) });
      const repaired = gate();
      const store = await example.open({ openRecords: damaged(repaired.promise), patience: milliseconds(1) });
      assert.equal(store.isWell, false);
      assert.deepEqual(await store.lookUp(path(1)), []);
      assert.equal((await fault({})).fault, 'in-use');
      await store.invalidate(path(1));
      repaired.open();
      await example.nextWell();
      assert.equal(store.usage().responses, count - 1);
      assert.equal((await only(store, path(2))).invalidated, true);
      assert.equal(await given(store, await only(store, path(2))), 'xx');
    });

    it('waits longer for one that is merely slow to open', async () => {
      await fill();
      const openRecords: OpenRecords = async (...all) => {
        await pause(150);
        return openKeyValue(...all);
      };
      const store = await example.open({ openRecords, patience: milliseconds(100) });
      assert.equal(store.isWell, true);
      assert.deepEqual(example.unwell, []);
    });

    it('leaves nothing of the one that could not be repaired', async () => {
      await fill({ inline: bytes(0) });
      const aside = join(example.directory, 'index.damaged');
      let isAside = false;
      const openRecords: OpenRecords = async (...all) => {
        isAside ||= existsSync(aside);
        if (!isAside) throw new KeyValueError('damaged', 'corruption');
        return openKeyValue(...all);
      };
      const store = await example.open({ inline: bytes(0), openRecords });
      assert.equal(isAside, true);
      assert.equal(existsSync(aside), false);
      assert.equal(store.usage().responses, count - 1);
    });

    it('goes on where a process was killed before it was done', async () => {
      await fill({ inline: bytes(0) });
      await inIndex([{ type: 'del', key: `k!${path(7)}` }]);
      writeFileSync(join(example.directory, 'rebuild'), '');
      const store = await example.open({ inline: bytes(0) });
      assert.equal(await given(store, await only(store, path(7))), 'x'.repeat(7));
      assert.equal(await freshCount(store), 0);
      assert.equal(existsSync(join(example.directory, 'rebuild')), false);
      await store.close();
      await put(await example.open({ inline: bytes(0) }), 'y', { key: path(8) });
    });

    it('stops when it is closed, and does it the next time', async () => {
      await fill({ inline: bytes(0) });
      const repaired = gate();
      const store = await example.open({ openRecords: damaged(repaired.promise), patience: milliseconds(1) });
      const closed = store.close();
      repaired.open();
      await closed;
      const next = await example.open({ inline: bytes(0) });
      assert.equal(next.usage().responses, count - 1);
      assert.equal(await freshCount(next), 0);
    });

    it('has lost no room to bytes that nothing refers to any more', async () => {
      await fill();
      await inIndex([{ type: 'put', key: 'b!lost00000001', value: Buffer.alloc(1000) }]);
      writeFileSync(join(example.directory, 'rebuild'), '');
      const store = await example.open();
      for (let i = 1; i < count; i++) assert.equal(await given(store, await only(store, path(i))), 'x'.repeat(i));
      await store.close();
      const index = await openKeyValue(join(example.directory, 'index'));
      assert.equal(await index.get('b!lost00000001'), undefined);
      await index.close();
    });
  });

  it('is repaired if what says where its index begins is not what was written', async () => {
    await fill();
    writeFileSync(join(example.directory, 'index', 'CURRENT'), 'MALIFEST-000009\n');
    const store = await example.open();
    assert.equal(store.usage().responses, count);
    assert.equal(await freshCount(store), 0);
  });

  it('uses nothing without validation if an invalidation of a group was lost', async () => {
    await fill();
    const store = await example.open();
    await store.invalidateGroup('|http://example.com', 'other');
    assert.equal(await freshCount(store), count);
    await store.close();
    await inIndex([{ type: 'del', key: 'i!|http://example.com\nother' }]);
    assert.equal(await freshCount(await example.open()), 0);
    assert.match(example.notices.join(), /has lost invalidations of groups/);
  });

  it('evicts although the order of uses was lost', async () => {
    const limit = { limit: bytes(200_000), inline: bytes(0) };
    const store = await example.open(limit);
    for (let i = 0; i < 10; i++) await put(store, 'x'.repeat(9000), { key: path(i) });
    await store.close();
    const index = await openKeyValue(join(example.directory, 'index'));
    for await (const use of index.keys({ from: 'u!', before: 'u"' })) await index.change([{ type: 'del', key: use }]);
    await index.close();
    const next = await example.open(limit);
    await put(next, 'x'.repeat(80_000), { key: path(20) });
    for (const [i, isThere] of [
      [0, false],
      [9, true],
      [20, true],
    ] as const)
      assert.equal(await isStored(next, path(i)), isThere, `${i}`);
    assert.ok(next.usage().bytes <= limit.limit, 'it takes more');
  });

  it('takes over a store of format 1', async () => {
    await fill();
    await inIndex([{ type: 'put', key: `g!|http://example.com\ng\0${path(1)}`, value: Buffer.alloc(0) }]);
    writeFileSync(join(example.directory, 'format'), 'willis store 1\n');
    const store = await example.open();
    assert.equal(await freshCount(store), count);
    assert.equal(readFileSync(join(example.directory, 'format'), 'utf8'), 'willis store 2\n');
    await store.close();
    const index = await openKeyValue(join(example.directory, 'index'));
    for await (const found of index.keys({ from: 'g!', before: 'g"' })) assert.fail(found);
    await index.close();
    assert.deepEqual(example.notices, []);
  });

  it('is none the worse if its format was not written to the end', async () => {
    await fill();
    writeFileSync(join(example.directory, 'format'), '');
    assert.equal(await freshCount(await example.open()), count);
  });

  it('leaves alone what is not of the store, names it once, and counts it for nothing', async () => {
    await fill();
    const foreign = ['notes.txt', 'bodies/notes.txt', 'index/notes.txt'];
    for (const name of foreign) writeFileSync(join(example.directory, name), 'x'.repeat(100_000));
    mkdirSync(join(example.directory, 'tmp', 'abcdefghijkl'));
    writeFileSync(join(example.directory, 'tmp', 'half-written'), 'x');
    const before = (await example.open()).usage().bytes;
    assert.deepEqual(readdirSync(join(example.directory, 'tmp')), ['abcdefghijkl']);
    assert.match(example.notices.join('|'), /^left alone, for it is not of the store: notes.txt, [^|]*$/);
    for (const name of foreign) assert.equal(existsSync(join(example.directory, name)), true, name);
    assert.ok(before < 100_000, `${before} are counted`);
  });

  it('finds what a purge has done that was under way when it was closed, and trusts the rest', async () => {
    const store = await example.open();
    for (let i = 0; i < 300; i++) await put(store, 'x', { key: key(`/many/${i}`) });
    await put(store, 'y');
    const purged = store.purge({ kind: 'prefix', prefixes: ['http://example.com/many/'] }, 'hard', example.clock.now());
    await store.close();
    assert.equal(await purged, 300);
    const next = await example.open();
    assert.equal(next.usage().responses, 1);
    assert.equal((await only(next)).invalidated, false);
    assert.deepEqual(example.unwell, []);
  });

  it('makes its index anew by order, while it serves from elsewhere', async () => {
    await fill({ inline: bytes(0) });
    const store = await example.open({ inline: bytes(0) });
    await put(store, 'a'.repeat(500), { key: path(3) });
    const progress: number[] = [];
    const rebuilding = store.upkeep.rebuild({
      signal: new AbortController().signal,
      onProgress: ({ responses, ofResponses }) => progress.push(responses / ofResponses),
    });
    assert.equal(store.isWell, false);
    assert.deepEqual(await rebuilding, { before: count, kept: count, adopted: 0 });
    assert.equal(progress.at(-1), 1);
    assert.equal(store.isWell, true);
    assert.equal(await freshCount(store), 0);
    assert.equal(await given(store, await only(store, path(3))), 'a'.repeat(500));
    await put(store, 'new', { key: path(4) });
    assert.equal(await given(store, await only(store, path(4))), 'new');
  });
});
