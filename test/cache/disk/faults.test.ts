import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { KeyValueError, openKeyValue, type KeyValue } from '../../../proxy/base/key-value.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { begin, draft, key, only, put } from '../response-store/samples.js';
import { runCount } from '../../support/run-count.js';
import { skipWithout } from '../../support/skip-without.js';
import { DiskExample, filesUnder, given, unattended, verified } from './disk-example.js';
import { FaultyFileSystem } from './faulty-file-system.js';

const long = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `${i} `).join(''));
const huge = Buffer.from(Array.from({ length: 200_000 }, (_, i) => `${i} `).join(''));

describe('a store on a disk that fails', () => {
  let example: DiskExample;
  let system: FaultyFileSystem;
  const open = (over: Partial<DiskOptions> = {}): Promise<DiskStore> => example.open({ system, ...over });

  beforeEach(async () => {
    example = await DiskExample.create();
    system = new FaultyFileSystem();
  });
  afterEach(async () => {
    system.work();
    await example.remove();
  });

  describe('a body file', () => {
    /** Stores, has the file changed, and expects that the response is not there any more. */
    const expectForgotten = async (change: (path: string) => void): Promise<void> => {
      const store = await open();
      await put(store, long);
      await store.close();
      change(example.bodyFiles()[0]!);
      const again = await open();
      assert.equal(await given(again), null);
      assert.deepEqual(await again.lookUp(key('/')), []);
      assert.deepEqual(example.lost, [key('/')]);
      assert.deepEqual(example.unwell, []);
      assert.equal(again.usage().bytes, 0);
      await put(again, long);
      assert.equal(await given(again), long.toString());
    };

    it('that is gone is noticed before the first byte is out', () => expectForgotten((path) => rmSync(path)));

    it('that is empty is noticed', () => expectForgotten((path) => truncateSync(path)));

    it('that was cut off is noticed', () => expectForgotten((path) => truncateSync(path, statSync(path).size - 5000)));

    it('that is a directory is noticed', () =>
      expectForgotten((path) => {
        rmSync(path);
        mkdirSync(path);
      }));

    it('that is the file of another response is noticed', () =>
      expectForgotten((path) => writeFileSync(path, Buffer.alloc(statSync(path).size, 7))));

    it('gives all of its bytes or none, whichever bit of it flips', async () => {
      const store = await open();
      await put(store, long);
      const directory = join(example.directory, '..');
      await store.close();
      const [path] = example.bodyFiles();
      const whole = readFileSync(path!);
      let noticed = 0;
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 7 }), async (at, bit) => {
          const copy = join(directory, 'copy');
          rmSync(copy, { recursive: true, force: true });
          for (const file of filesUnder(example.directory)) {
            const to = join(copy, file.slice(example.directory.length));
            mkdirSync(dirname(to), { recursive: true });
            copyFileSync(file, to);
          }
          const flipped = Buffer.from(whole);
          flipped[at]! ^= 1 << bit;
          writeFileSync(join(copy, path!.slice(example.directory.length)), flipped);
          const damaged = await open({ directory: copy });
          const bytesGiven = await given(damaged);
          await damaged.close();
          if (bytesGiven === null) noticed++;
          else assert.equal(bytesGiven, long.toString());
        }),
        { numRuns: runCount(40) },
      );
      assert.ok(noticed > 20, `${noticed}`);
    });

    it('that is damaged far behind its beginning breaks the transfer there', async () => {
      const store = await open();
      await put(store, huge);
      await store.close();
      const [path] = example.bodyFiles();
      const content = readFileSync(path!);
      content[content.length - 10_000]! ^= 1;
      writeFileSync(path!, content);
      const again = await open();
      const stored = await only(again);
      assert.equal(await again.ready(stored, bytes(0), bytes(huge.length)), true);
      const body = again.open(stored, bytes(0), bytes(huge.length));
      let received = 0;
      await assert.rejects(async () => {
        for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
          assert.ok(chunk.equals(huge.subarray(received, received + chunk.length)), 'other bytes');
          received += chunk.length;
        }
      }, /could not be read/);
      assert.ok(received > 0 && received < huge.length, String(received));
      assert.equal(await given(again), null);
    });

    it('that is damaged is found by reading everything, and forgotten', async () => {
      const store = await open();
      for (const path of ['/a', '/b', '/c']) await put(store, huge, { key: key(path) });
      await put(store, 'short', { key: key('/d') });
      await store.close();
      const [path] = example.bodyFiles();
      const content = readFileSync(path!);
      content[content.length - 10_000]! ^= 1;
      writeFileSync(path!, content);
      const again = await open();
      assert.equal((await verified(again)).damaged, 1);
      assert.equal(again.usage().responses, 3);
      assert.equal(example.lost.length, 1);
      await again.upkeep.compact(unattended());
      assert.equal(example.bodyFiles().length, 2);
      const { responses, damaged } = await verified(again);
      assert.deepEqual([responses, damaged], [3, 0]);
    });

    it('that is not of the store is left alone', async () => {
      const store = await open();
      await put(store, long);
      await store.close();
      const foreign = [join(example.directory, 'notes.txt'), join(example.directory, 'bodies', '00', 'README')];
      mkdirSync(join(example.directory, 'bodies', '00'), { recursive: true });
      for (const path of foreign) writeFileSync(path, 'mine');
      rmSync(join(example.directory, 'index'), { recursive: true });
      assert.equal(await given(await open()), long.toString());
      for (const path of foreign) assert.equal(readFileSync(path, 'utf8'), 'mine');
    });
  });

  describe('an index', () => {
    it('that is lost is made anew from the files, to be validated before its next use', async () => {
      const store = await open();
      await put(store, long, { key: key('/whole') });
      await put(store, huge, { key: key('/huge') });
      const part = begin(store, { key: key('/part') });
      await part.append(long);
      assert.equal((await part.abandon(true))?.complete, false);
      const usage = store.usage();
      await store.close();
      rmSync(join(example.directory, 'index'), { recursive: true });
      const again = await open();
      for (const [path, content] of [
        ['/whole', long],
        ['/huge', huge],
      ] as const) {
        const stored = await only(again, key(path));
        assert.equal(stored.invalidated, true);
        assert.equal(stored.fields.first('etag'), '"1"');
        assert.equal(await given(again, stored), content.toString());
      }
      assert.deepEqual(await again.peek(key('/part')), []);
      assert.equal(again.usage().responses, 2);
      assert.ok(again.usage().bytes < usage.bytes, String(again.usage().bytes));
      assert.equal(example.bodyFiles().length, 2);
    });

    for (const [what, matches] of [
      ['its tables', /\.ldb$/],
      ['its log', /\.log$/],
      ['its list of tables', /MANIFEST/],
      ['the name of its list', /CURRENT$/],
    ] as const) {
      for (const [how, change] of [
        ['are overwritten', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size, 0x5a))],
        ['are cut off', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2))],
      ] as const) {
        it(`in which ${what} ${how} gives no wrong byte, and works`, async () => {
          const store = await open();
          for (let i = 0; i < 20; i++) await put(store, `${i} `.repeat(i * 500), { key: key(`/${i}`) });
          await store.close();
          await (await open()).close();
          const touched = filesUnder(join(example.directory, 'index')).filter((path) => matches.test(path));
          for (const path of touched) change(path);
          const again = await open();
          for (let i = 0; i < 20; i++) {
            const [stored] = await again.lookUp(key(`/${i}`));
            const content = stored && (await given(again, stored));
            if (content != null) assert.equal(content, `${i} `.repeat(i * 500));
          }
          await put(again, long);
          assert.equal(await given(again), long.toString());
        });
      }
    }
  });

  describe('that is unwell', () => {
    for (const [operation, code] of [
      ['open', 'EROFS'],
      ['open', 'EACCES'],
      ['write', 'EIO'],
      ['rename', 'EIO'],
      ['close', 'EIO'],
      ['write', 'ENOSPC'],
    ] as const) {
      it(`takes nothing and finds nothing while ${operation} gives ${code}, says so once, and recovers by itself`, async () => {
        const store = await open();
        await put(store, long, { key: key('/before') });
        system.fail(operation, code);
        system.fail('writeText', code);
        const writer = begin(store, {}, { length: bytes(long.length) });
        await writer.append(long);
        assert.equal(await writer.commit(Fields.none), null);
        assert.equal(example.unwell.length, 1);
        assert.equal(store.write(draft(store)), null);
        assert.deepEqual(await store.lookUp(key('/before')), []);
        const well = example.nextWell();
        system.work();
        await well;
        assert.equal(example.unwell.length, 1);
        await put(store, long);
        assert.equal(await given(store), long.toString());
        if (code !== 'ENOSPC') {
          assert.equal(await given(store, await only(store, key('/before'))), long.toString());
        }
        assert.equal(filesUnder(join(example.directory, 'tmp')).length, 0);
      });
    }

    it('does not use without validation what it could not invalidate, not even in the next process', async () => {
      const opened: KeyValue[] = [];
      const store = await open({
        openRecords: async (path) => {
          const records = await openKeyValue(path);
          opened.push(records);
          return records;
        },
      });
      await put(store, 'x');
      // behind the back of the store: everything that it asks of its index fails
      await opened[0]!.close();
      await store.invalidate(key('/'));
      assert.equal(example.unwell.length, 1);
      await example.nextWell();
      assert.equal((await only(store)).invalidated, true);
    });

    it('makes room to open its index again, and breaks no answer that is being read for that', async () => {
      const opened: KeyValue[] = [];
      const store = await open({
        system: Object.assign(system, { free: () => Promise.resolve(bytes(example.bodyFiles().length > 2 ? 0 : 1e9)) }),
        openRecords: async (path) => {
          if (opened.length === 1) {
            opened.length = 0;
            throw new KeyValueError('unwell', 'IO error: No space left on device');
          }
          opened.push(await openKeyValue(path));
          return opened[0] as KeyValue;
        },
      });
      const paths = ['/0', '/1', '/2', '/3'].map((path) => key(path));
      for (const path of paths) await put(store, huge, { key: path });
      const one = await only(store, paths[0]);
      const body = store.open(one, bytes(0), bytes(huge.length));
      const beginning = (await body.read()) as Buffer;
      const well = example.nextWell();
      await opened[0]?.close();
      await store.invalidate(key('/other'));
      await well;
      assert.match(example.notices.join(), /the disk is full: 2 body files were deleted/);
      const rest = await readAll(body, bytes(huge.length));
      assert.ok(Buffer.concat([beginning, rest]).equals(huge), 'it is another content');
    });

    it('is not made unwell by a lack of descriptors, and forgets nothing', async () => {
      const store = await open();
      await put(store, huge);
      system.fail('open', 'EMFILE');
      assert.equal(await given(store), null);
      assert.deepEqual(example.unwell, []);
      system.work();
      assert.equal(await given(store), huge.toString());
      assert.deepEqual(example.lost, []);
    });

    it('closes files that nobody reads when there are too many', async () => {
      const store = await open();
      await put(store, long, { key: key('/a') });
      await put(store, long, { key: key('/b') });
      await given(store, await only(store, key('/a')));
      system.fail('open', 'EMFILE', 1);
      assert.equal(await given(store, await only(store, key('/b'))), long.toString());
    });

    it('can be closed', async () => {
      const store = await open();
      system.fail('write', 'EIO');
      const writer = begin(store, {}, { length: bytes(long.length) });
      await writer.append(long);
      await writer.commit(Fields.none);
      await store.close();
      system.work();
      await (await open()).close();
    });
  });

  describe('that is smaller than the limit', () => {
    let mounted: string | null;

    before(function () {
      mounted = null;
      const directory = `/tmp/willis-test-small-${process.pid}`;
      mkdirSync(directory, { recursive: true });
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', directory], { stdio: 'pipe' });
        mounted = directory;
      } catch (error) {
        skipWithout(this, `right to mount: ${String(error)}`);
      }
    });
    after(() => {
      if (mounted === null) return;
      execFileSync('umount', [mounted]);
      rmSync(mounted, { recursive: true });
    });

    it('evicts and goes on, and is right when there is room again', async () => {
      const store = await open({ directory: join(mounted!, 'store') });
      const ballast = join(mounted!, 'others');
      writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024));
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 40; i++) {
          const name = `/${round}/${i}`;
          const content = `${name} `.repeat(100_000);
          const writer = store.write(draft(store, { key: key(name) }, { length: bytes(content.length) }));
          if (writer === null) await new Promise((resolve) => setTimeout(resolve, 10));
          else if (await writer.append(Buffer.from(content))) await writer.commit(Fields.none);
          else await writer.abandon(false);
          for (let j = 0; j <= i; j++) {
            const [stored] = await store.lookUp(key(`/${round}/${j}`));
            if (stored === undefined || !(await store.ready(stored, bytes(0), stored.length!))) continue;
            const text = (await readAll(store.open(stored, bytes(0), stored.length!), bytes(1 << 30))).toString();
            assert.ok(text === `/${round}/${j} `.repeat(100_000), 'other bytes');
          }
        }
        if (round === 1) rmSync(ballast, { force: true });
      }
      while (store.write(draft(store)) === null) await example.nextWell();
      await put(store, long);
      assert.equal(await given(store), long.toString());
      await store.close();
    });
  });
});
