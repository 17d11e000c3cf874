import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { WillisError, type ErrorCode } from '../../../proxy/base/errors.js';
import { openKeyValue, type KeyValue } from '../../../proxy/base/key-value.js';
import { allContents, recordKey } from '../../../proxy/cache/disk/index-keys.js';
import type { UpkeepProgress } from '../../../proxy/cache/disk/upkeep.js';
import { gate } from '../../support/gate.js';
import { key, put, putPart, times } from '../response-store/samples.js';
import { DiskExample, given, unattended, verified } from './disk-example.js';
import { FaultyFileSystem } from './faulty-file-system.js';

const long = Buffer.alloc(100_000, 'long ');
const huge = Buffer.alloc(1_000_000, 'huge ');
const slow = { rate: bytes(64 * 1024) };

const failsWith =
  (code: ErrorCode, message = /./) =>
  (error: unknown): boolean =>
    error instanceof WillisError && error.code === code && message.test(error.message);

describe('the upkeep of a store on disk', () => {
  let example: DiskExample;
  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  /** Changes the index while no store uses it. */
  async function inIndex(change: (records: KeyValue) => Promise<void>): Promise<void> {
    const records = await openKeyValue(join(example.directory, 'index'));
    await change(records);
    await records.close();
  }

  function flip(path: string, at: number): void {
    const content = readFileSync(path);
    content[at < 0 ? content.length + at : at]! ^= 1;
    writeFileSync(path, content);
  }

  const inFile = (): string => example.bodyFiles()[0] ?? '';

  describe('by verifying', () => {
    it('finds nothing wrong with what is as it was stored, and counts it', async () => {
      const store = await example.open();
      await put(store, long, { key: key('/long') });
      await put(store, 'short', { key: key('/short') });
      assert.deepEqual(await verified(store), {
        ...{ isWhole: true, responses: 2, bytes: 100_005, damaged: 0, lost: [] },
        ...{ strayFiles: 0, strayBytes: 0, corrected: { responses: 0, bytes: 0 } },
      });
    });

    const damages: readonly (readonly [what: string, damage: () => void | Promise<void>, fault: RegExp])[] = [
      ['a byte of a body', () => flip(inFile(), 50_000), /not what was stored/],
      ['the last byte of a body file', () => flip(inFile(), -1), /footer/],
      ['a byte of what a body file says of itself', () => flip(inFile(), 60), /header/],
      ['the end of a body file', () => truncateSync(inFile(), 90_000), /too short/],
      ['a body file', () => rmSync(inFile()), /ENOENT/],
      [
        'a record',
        () =>
          inIndex(async (records) => {
            const value = (await records.get(recordKey(key('/damaged')))) ?? Buffer.alloc(0);
            value[value.length - 1]! ^= 1;
            await records.change([{ type: 'put', key: recordKey(key('/damaged')), value }]);
          }),
        /its record is not what was stored/,
      ],
    ];
    for (const [what, damage, fault] of damages) {
      it(`finds that ${what} is not what it was, forgets the response, and keeps the others`, async () => {
        const store = await example.open();
        await put(store, long, { key: key('/damaged') });
        await store.close();
        await damage();
        const again = await example.open();
        await put(again, long, { key: key('/well') });
        const result = await verified(again);
        assert.deepEqual([result.isWhole, result.damaged], [true, 1]);
        assert.equal(result.lost[0]?.uri, 'http://example.com/damaged');
        assert.match(result.lost[0].fault, fault);
        assert.deepEqual(example.lost, [key('/damaged')]);
        assert.deepEqual(await again.lookUp(key('/damaged')), []);
        assert.equal((await again.lookUp(key('/well'))).length, 1);
        assert.equal((await verified(again)).damaged, 0);
      });
    }

    it('finds that a short body is not what it was', async () => {
      const store = await example.open();
      await put(store, 'short', { key: key('/short') });
      await store.close();
      await inIndex(async (records) => {
        for await (const [found] of records.entries(allContents))
          await records.change([{ type: 'put', key: found, value: Buffer.from('shirt') }]);
      });
      const { damaged, lost } = await verified(await example.open());
      assert.equal(damaged, 1);
      assert.match(lost[0]?.fault ?? '', /not what was stored/);
    });

    it('trusts nothing that was read before', async () => {
      const store = await example.open();
      await put(store, huge);
      assert.equal(await given(store), huge.toString());
      flip(inFile(), 500_000);
      assert.equal((await verified(store)).damaged, 1);
    });

    it('deletes files that belong to nothing, and leaves alone what is not of the store', async () => {
      const store = await example.open();
      await put(store, long, { key: key('/a') });
      await put(store, huge, { key: key('/b') });
      await store.close();
      await inIndex((records) => records.change([{ type: 'del', key: recordKey(key('/a')) }]));
      const foreign = join(example.directory, 'bodies', 'README');
      writeFileSync(foreign, 'mine');
      const [stray] = example.bodyFiles().filter((path) => path !== foreign && statSync(path).size < 500_000);
      const size = statSync(stray ?? '').size;
      const result = await verified(await example.open());
      assert.deepEqual([result.strayFiles, result.strayBytes, result.damaged], [1, size, 0]);
      assert.deepEqual([existsSync(stray ?? ''), existsSync(foreign)], [false, true]);
    });

    it('tells how far it is, in what counts against the limit', async () => {
      const store = await example.open();
      for (const path of ['/a', '/b', '/c']) await put(store, huge, { key: key(path) });
      const told: UpkeepProgress[] = [];
      await verified(store, { onProgress: (progress) => void told.push(progress) });
      const { bytes: all, responses } = store.usage();
      const during = told.filter(({ phase }) => phase === 'responses');
      assert.deepEqual([during[0]?.bytes, during[0]?.ofBytes, during[0]?.ofResponses], [0, all, responses]);
      assert.deepEqual([during.at(-1)?.bytes, during.at(-1)?.responses], [all, responses]);
      assert.ok(during.length > 3 * 10, 'within a response, too');
      const sizes = told.map((one) => one.bytes);
      assert.deepEqual(
        sizes,
        [...sizes].sort((a, b) => a - b),
      );
    });

    it('ends when it is to end, and says that it was not through', async () => {
      const store = await example.open();
      await put(store, huge);
      const ending = new AbortController();
      const verifying = verified(store, { ...slow, signal: ending.signal, onProgress: () => ending.abort() });
      const { isWhole, responses, damaged } = await verifying;
      assert.deepEqual([isWhole, responses, damaged], [false, 0, 0]);
    });

    it('ends with the store', async () => {
      const store = await example.open();
      await put(store, huge);
      const verifying = verified(store, slow);
      await store.close();
      assert.equal((await verifying).isWhole, false);
      assert.throws(() => store.upkeep.compact(unattended()), failsWith('store-busy'));
    });

    it('lets others read, store and purge meanwhile', async () => {
      const store = await example.open();
      await put(store, huge);
      const ending = new AbortController();
      const verifying = verified(store, { ...slow, signal: ending.signal });
      assert.equal(await given(store), huge.toString());
      await put(store, long, { key: key('/new') });
      await store.remove((await store.lookUp(key('/')))[0]!);
      assert.equal((await store.lookUp(key('/new'))).length, 1);
      ending.abort();
      assert.equal((await verifying).damaged, 0);
    });

    it('takes a response for lost only if it is still there', async () => {
      const store = await example.open();
      await put(store, huge);
      flip(inFile(), 900_000);
      let stored = await store.lookUp(key('/'));
      const verifying = verified(store, {
        onProgress: () => {
          for (const one of stored) void store.remove(one);
          stored = [];
        },
      });
      assert.deepEqual([(await verifying).damaged, example.lost.length], [0, 0]);
    });

    it('fails if the disk fails, and then nothing is taken for lost', async () => {
      const system = new FaultyFileSystem();
      const store = await example.open({ system });
      await put(store, huge);
      system.fail('read', 'EPERM');
      await assert.rejects(verified(store), failsWith('store-unwell'));
      assert.deepEqual([store.isWell, example.lost], [false, []]);
      assert.throws(() => void verified(store), failsWith('store-unwell'));
    });
  });

  it('is one work at a time; a second is refused with what is under way', async () => {
    const store = await example.open();
    await put(store, huge);
    const ending = new AbortController();
    const verifying = verified(store, { ...slow, signal: ending.signal });
    for (const begin of [() => verified(store), () => store.upkeep.compact(unattended())]) {
      assert.throws(() => void begin(), failsWith('store-busy', /everything in the store is being checked/));
    }
    assert.equal((await store.upkeep.report({ largest: true })).work, 'verify');
    ending.abort();
    await verifying;
    assert.equal((await verified(store)).isWhole, true);
    assert.equal((await store.upkeep.report({ largest: true })).work, null);
  });

  describe('by counting anew', () => {
    it('finds by how much the index has counted wrong, and sets it right for this process and the next', async () => {
      const store = await example.open();
      for (const path of ['/a', '/b', '/c']) await put(store, long, { key: key(path) });
      const each = store.usage().bytes / 3;
      await store.close();
      await inIndex((records) => records.change([{ type: 'del', key: recordKey(key('/a')) }]));
      const again = await example.open();
      assert.equal(again.usage().responses, 3);
      const { corrected, damaged, isWhole } = await verified(again);
      assert.deepEqual([corrected, damaged, isWhole], [{ responses: -1, bytes: -each }, 0, true]);
      assert.deepEqual([again.usage().responses, again.usage().bytes], [2, 2 * each]);
      assert.deepEqual((await verified(again)).corrected, { responses: 0, bytes: 0 });
      await again.close();
      const third = await example.open();
      assert.deepEqual([third.usage().responses, third.usage().bytes], [2, 2 * each]);
    });

    it('knows how many responses are not complete, in this process and the next', async () => {
      const store = await example.open();
      await put(store, long, { key: key('/whole') });
      for (const path of ['/a', '/b', '/c']) await putPart(store, 'half', { length: bytes(8) }, { key: key(path) });
      await put(store, 'all of it', { key: key('/a') });
      await store.remove((await store.lookUp(key('/b')))[0]!);
      const partial = async (one: typeof store): Promise<number | null> =>
        (await one.upkeep.report({ largest: false })).partial;
      assert.equal(await partial(store), 1);
      assert.deepEqual((await verified(store)).corrected, { responses: 0, bytes: 0 });
      await store.close();
      const again = await example.open();
      assert.equal(await partial(again), 1);
      await again.upkeep.rebuild(unattended());
      assert.equal(await partial(again), 1);
    });

    it('waits for a change that is in the index and does not count yet', async () => {
      const [isIn, isTold] = [gate(), gate()];
      const store = await example.open({
        openRecords: async (...all) => {
          const records = await openKeyValue(...all);
          const change = records.change.bind(records);
          records.change = async (changes, options) => {
            await change(changes, options);
            if (!changes.some(({ key: found }) => found === recordKey(key('/')))) return;
            isIn.open();
            await isTold.promise;
          };
          return records;
        },
      });
      const storing = put(store, long);
      await isIn.promise;
      const verifying = verified(store);
      isTold.open();
      await storing;
      assert.deepEqual((await verifying).corrected, { responses: 0, bytes: 0 });
      assert.equal(store.usage().responses, 1);
    });

    it('is right whatever is stored, removed and replaced meanwhile', async () => {
      const store = await example.open();
      await times(500, (i) => put(store, `short ${i}`, { key: key(`/${i}`) }));
      const changing = times(300, async (i) => {
        await put(store, 'a longer one than there was before'.repeat(i % 7), { key: key(`/${i}`) });
        for (const one of await store.lookUp(key(`/${i + 150}`))) await store.remove(one);
        await put(store, long, { key: key(`/new/${i % 20}`) });
      });
      for (let i = 0; i < 5; i++) assert.deepEqual((await verified(store)).corrected, { responses: 0, bytes: 0 });
      await changing;
      const { corrected, damaged } = await verified(store);
      assert.deepEqual([corrected, damaged], [{ responses: 0, bytes: 0 }, 0]);
    });
  });

  describe('by making the index anew', () => {
    it('keeps what is stored, to be validated before its next use, and says how much that is', async () => {
      const store = await example.open();
      await put(store, long, { key: key('/long') });
      await put(store, 'short', { key: key('/short') });
      const told: UpkeepProgress[] = [];
      const rebuilt = await store.upkeep.rebuild({ ...unattended(), onProgress: (one) => void told.push(one) });
      assert.deepEqual(rebuilt, { before: 2, kept: 2, adopted: 0 });
      for (const path of ['/long', '/short']) {
        const [stored] = await store.lookUp(key(path));
        assert.equal(stored?.invalidated, true);
      }
      assert.equal(await given(store, (await store.lookUp(key('/long')))[0]), long.toString());
      assert.deepEqual([told[0]?.phase, told.at(-1)?.phase, told.at(-1)?.responses], ['index', 'files', 2]);
      assert.equal(store.isWell, true);
      assert.equal((await verified(store)).damaged, 0);
    });

    it('finds again what only body files know of', async () => {
      const store = await example.open();
      for (const path of ['/a', '/b']) await put(store, long, { key: key(path) });
      await store.close();
      await inIndex((records) => records.change([{ type: 'del', key: recordKey(key('/a')) }]));
      const again = await example.open();
      assert.deepEqual(await again.lookUp(key('/a')), []);
      const rebuilt = await again.upkeep.rebuild(unattended());
      assert.deepEqual([rebuilt?.kept, rebuilt?.adopted], [2, 1]);
      assert.equal(await given(again, (await again.lookUp(key('/a')))[0]), long.toString());
    });

    it('is seen by others as a disk that does not work, and keeps nobody from an answer', async () => {
      const store = await example.open();
      await put(store, long);
      const rebuilding = store.upkeep.rebuild(unattended());
      assert.deepEqual([store.isWell, await store.lookUp(key('/')), example.unwell.length], [false, [], 1]);
      assert.throws(() => void verified(store), failsWith('store-unwell'));
      await rebuilding;
      assert.equal(store.isWell, true);
    });

    it('given up goes on; when the store is closed it ends, and is made up for by the next process', async () => {
      const store = await example.open();
      await put(store, long);
      const ending = new AbortController();
      const rebuilding = store.upkeep.rebuild({ ...unattended(), signal: ending.signal });
      ending.abort();
      assert.equal(await rebuilding, null);
      await store.close();
      const again = await example.open();
      assert.equal(await given(again, (await again.lookUp(key('/')))[0]), long.toString());
      assert.equal((await verified(again)).damaged, 0);
    });
  });

  it('by compacting gives back the room of what was removed, and says how much', async () => {
    const store = await example.open();
    for (const path of ['/a', '/b']) await put(store, huge, { key: key(path) });
    await store.remove((await store.lookUp(key('/a')))[0]!);
    assert.equal(example.bodyFiles().length, 2);
    const { freed, files } = await store.upkeep.compact(unattended());
    assert.equal(files, 1);
    assert.ok(freed >= huge.length, String(freed));
    assert.equal(example.bodyFiles().length, 1);
  });

  it('tells how the store fares, as it is', async () => {
    const store = await example.open();
    await put(store, huge, { key: key('/a') });
    await put(store, 'short', { key: key('/b') });
    await put(store, long, { key: key('/gone') });
    await store.remove((await store.lookUp(key('/gone')))[0]!);
    const report = await store.upkeep.report({ largest: true });
    const onDisk = example.bodyFiles().reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
    assert.equal(report.parts.bodies + report.parts.deleted, onDisk);
    assert.equal(report.parts.bodies + report.parts.records, store.usage().bytes);
    assert.equal(
      report.bytes,
      Object.values(report.parts).reduce((sum: number, one: number) => sum + one, 0),
    );
    assert.ok(report.parts.deleted > long.length && report.deletedFiles === 1, 'what was removed may be read still');
    assert.deepEqual([report.isWell, report.responses, report.work], [true, 2, null]);
    assert.equal(report.leastRecent?.uri, 'http://example.com/a');
    assert.deepEqual(
      report.largest?.map(({ uri }) => uri),
      ['http://example.com/a', 'http://example.com/b'],
    );
    assert.equal(
      report.largest.reduce((sum, one) => sum + one.bytes, 0),
      store.usage().bytes,
    );
    assert.deepEqual([report.parts.index, report.parts.reserved], [0, 0]);
    assert.ok(report.indexFiles > 0, 'the index has files');
  });
});
