import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytes, epochMs } from '../../../config/units.js';
import { openKeyValue } from '../../../proxy/base/key-value.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { DiskStoreError } from '../../../proxy/cache/disk/disk-store-error.js';
import { machineFileSystem, type FileSystem } from '../../../proxy/cache/disk/file-system.js';
import { runKey } from '../../../proxy/cache/disk/index-keys.js';
import { encodeRun } from '../../../proxy/cache/disk/run-marker.js';
import { Fields } from '../../../proxy/http/fields.js';
import { gate } from '../../support/gate.js';
import { aWhile } from '../../support/waiting.js';
import { begin, key, metadata, only, put, putPart, read, varying } from '../response-store/samples.js';
import { DiskExample, given } from './disk-example.js';

const long = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${i} `).join(''));

describe('a store on disk that is opened again', () => {
  let example: DiskExample;

  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  /** The directory as a process leaves it that is killed now: opened by another one. */
  const killed = async (boot = 'one') => {
    const directory = join(example.directory, '..', 'copy');
    rmSync(directory, { recursive: true, force: true });
    cpSync(example.directory, directory, { recursive: true });
    return example.open({ directory, boot });
  };

  for (const [how, content] of [
    ['short', Buffer.from('hello')],
    ['long', long],
  ] as const) {
    it(`has every ${how} response, its metadata, its variants, its trailers and its sizes`, async () => {
      const first = await example.open();
      await put(first, 'english', { selecting: varying('en') });
      const writer = begin(first, { groups: ['g'] });
      await writer.append(content);
      await writer.commit(Fields.of({ Digest: 'x' }));
      const usage = first.usage();
      await first.close();
      const second = await example.open();
      assert.deepEqual(second.usage(), usage);
      const [stored, english] = await second.lookUp(key('/'));
      assert.ok(stored, 'no stored');
      for (const [name, value] of Object.entries(metadata({ groups: ['g'] }))) {
        assert.deepEqual(stored[name as keyof typeof stored], value, name);
      }
      assert.equal(stored.trailers.first('digest'), 'x');
      assert.equal(await given(second, stored), content.toString());
      assert.equal(await given(second, english), 'english');
      assert.equal(stored.invalidated, false);
    });
  }

  it('that was closed while a response was being ended has lost nothing that was acknowledged, and leaves no file behind', async () => {
    const held = gate();
    let isClosing: () => void = () => undefined;
    const closing = new Promise<void>((resolve) => (isClosing = resolve));
    const system: FileSystem = {
      ...machineFileSystem,
      close: async (file) => {
        isClosing();
        await held.promise;
        await machineFileSystem.close(file);
      },
    };
    const store = await example.open({ system });
    const writer = begin(store, {}, { length: bytes(long.length) });
    await writer.append(long);
    const ending = writer.commit(Fields.none);
    await closing;
    const closed = store.close();
    await aWhile();
    held.open();
    await closed;
    const stored = await ending;
    assert.deepEqual(example.unwell, []);
    const again = await example.open();
    assert.equal((await again.peek(key('/'))).length, stored === null ? 0 : 1);
    assert.equal(example.bodyFiles().length, again.usage().responses);
  });

  it('goes on with a part', async () => {
    const first = await example.open({ inline: bytes(0) });
    await putPart(first, '0123', { length: bytes(10) });
    await first.close();
    const second = await example.open();
    const extend = await only(second);
    const writer = begin(second, {}, { from: bytes(4), length: bytes(10), extend });
    await writer.append(Buffer.from('456789'));
    const stored = await writer.commit(Fields.none);
    assert.equal(stored?.complete, true);
    await second.close();
    assert.equal(await given(await example.open()), '0123456789');
  });

  it('evicts what was used longest ago, by the hour, in an earlier process', async () => {
    const limit = bytes(100 * 1024);
    const first = await example.open({ limit });
    const kilobyte = Buffer.alloc(1024, 'k');
    for (let i = 0; i < 20; i++) await put(first, kilobyte, { key: key(`/${i}`) });
    example.clock.advance(3_600_000);
    await first.lookUp(key('/0'));
    await first.close();
    const second = await example.open({ limit });
    for (let i = 0; second.usage().evicted < 5; i++) await put(second, kilobyte, { key: key(`/new/${i}`) });
    assert.equal((await second.peek(key('/0'))).length, 1);
    assert.equal((await second.peek(key('/1'))).length, 0);
  });

  it('keeps invalidations and purges', async () => {
    const first = await example.open();
    for (const path of ['/invalid', '/soft', '/hard', '/as-it-was']) await put(first, 'x', { key: key(path) });
    await first.invalidate(key('/invalid'));
    await first.purge({ kind: 'uri', uris: ['http://example.com/soft'] }, 'soft', epochMs(2_000_000));
    await first.purge({ kind: 'uri', uris: ['http://example.com/hard'] }, 'hard', epochMs(2_000_000));
    const second = await killed();
    assert.equal((await only(second, key('/invalid'))).invalidated, true);
    assert.equal((await only(second, key('/soft'))).freshness.lifetimeSource, 'purged');
    assert.deepEqual(await second.peek(key('/hard')), []);
    assert.deepEqual((await only(second, key('/as-it-was'))).invalidated, false);
  });

  it('purges and invalidates by group what an earlier process stored', async () => {
    const first = await example.open();
    await put(first, 'x', { key: key('/a'), groups: ['g'] });
    await put(first, 'x', { key: key('/b'), groups: ['h'] });
    await first.close();
    const second = await example.open();
    await second.invalidateGroup('|http://example.com', 'g');
    assert.equal((await only(second, key('/a'))).invalidated, true);
    assert.equal(await second.purge({ kind: 'prefix', prefixes: ['http://example.com/'] }, 'hard', epochMs(1)), 2);
  });

  it('never gives a name twice', async () => {
    const first = await example.open();
    const { id } = await put(first, 'x');
    await first.close();
    const second = await example.open();
    assert.notEqual((await put(second, 'x')).id, id);
  });

  describe('after its process was killed', () => {
    it('has what was acknowledged, and nothing of what was not', async () => {
      const first = await example.open();
      await put(first, long, { key: key('/long') });
      await put(first, 'short', { key: key('/short') });
      const writer = begin(first, { key: key('/unfinished') });
      for (let i = 0; i < 20; i++) await writer.append(Buffer.alloc(100_000));
      const second = await killed();
      assert.equal(await given(second, await only(second, key('/long'))), long.toString());
      assert.equal(await given(second, await only(second, key('/short'))), 'short');
      assert.deepEqual(await second.peek(key('/unfinished')), []);
      assert.equal(second.usage().responses, 2);
      assert.deepEqual(example.notices, []);
    });

    it('deletes files that nothing refers to, behind its work', async () => {
      const first = await example.open();
      await put(first, long);
      const [orphan] = example.bodyFiles() as [string];
      const content = readFileSync(orphan);
      await put(first, long, { key: key('/other') });
      await first.remove(await only(first));
      await first.close();
      writeFileSync(orphan, content);
      const store = await openUnclean(example);
      await untilBodyFiles(example, 1);
      assert.equal(await given(store, await only(store, key('/other'))), long.toString());
    });

    it('has it also when the kill came from outside', async () => {
      const url = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
      const script = `Promise.all([import(${url('./disk-example.ts')}), import(${url('../response-store/samples.ts')})]).then(
        async ([{ DiskExample }, { put, key }]) => {
          const example = await DiskExample.create();
          const store = await example.open({ directory: ${JSON.stringify(example.directory)} });
          for (let i = 0; i < 50; i++) await put(store, 'x'.repeat(i * 1000), { key: key('/' + i) });
          await store.invalidate(key('/7'));
          process.kill(process.pid, 'SIGKILL');
        })`;
      assert.throws(() => execFileSync(process.execPath, ['--import', 'tsx', '-e', script]), { signal: 'SIGKILL' });
      const store = await example.open();
      assert.equal(store.usage().responses, 50);
      for (let i = 0; i < 50; i++) {
        const stored = await only(store, key(`/${i}`));
        assert.equal(await read(store, stored), 'x'.repeat(i * 1000));
        assert.equal(stored.invalidated, i === 7);
      }
    });
  });

  describe('after the machine went down', () => {
    it('validates everything before its next use, and trusts what it stores then', async () => {
      const first = await example.open();
      await put(first, long);
      const second = await killed('two');
      assert.equal((await only(second)).invalidated, true);
      assert.equal(await given(second), long.toString());
      assert.equal(example.notices.length, 1);
      const fresh = await second.freshen(await only(second), metadata(), second.generation());
      assert.equal(fresh?.invalidated, false);
      assert.equal((await put(second, 'x', { key: key('/new') })).invalidated, false);
    });

    it('trusts what it had if it was stopped before', async () => {
      const first = await example.open();
      await put(first, 'x');
      await first.close();
      assert.equal((await only(await example.open({ boot: 'two' }))).invalidated, false);
    });
  });

  describe('is refused', () => {
    const fault = async (): Promise<DiskStoreError> => {
      try {
        await example.open();
      } catch (error) {
        assert.ok(error instanceof DiskStoreError, String(error));
        assert.ok(error.message.includes(example.directory), error.message);
        return error;
      }
      return assert.fail('it was opened');
    };

    it('while another process has it, and nothing is touched', async () => {
      const store = await example.open();
      const writer = begin(store);
      for (let i = 0; i < 10; i++) await writer.append(Buffer.alloc(100_000, 'a'));
      assert.equal((await fault()).fault, 'in-use');
      await writer.append(Buffer.from('b'));
      const stored = await writer.commit(Fields.none);
      assert.equal((await given(store, stored!))?.length, 1_000_001);
    });

    it('if a later version wrote it', async () => {
      await (await example.open()).close();
      writeFileSync(join(example.directory, 'format'), 'willis store 3\n');
      assert.equal((await fault()).fault, 'newer');
    });

    it('if its format is that of something else', async () => {
      await (await example.open()).close();
      writeFileSync(join(example.directory, 'format'), 'squid\n');
      assert.equal((await fault()).fault, 'foreign');
    });

    it('if the directory cannot be made', async () => {
      writeFileSync(join(example.directory, '..', 'store'), 'a file');
      assert.equal((await fault()).fault, 'unusable');
    });
  });
});

/** Opens what a store left, as if its process had been killed. */
async function openUnclean(example: DiskExample): Promise<DiskStore> {
  const index = await openKeyValue(join(example.directory, 'index'));
  await index.change([{ type: 'put', key: runKey, value: encodeRun('one', false) }]);
  await index.close();
  return example.open();
}

async function untilBodyFiles(example: DiskExample, count: number): Promise<void> {
  while (example.bodyFiles().length !== count) await new Promise((resolve) => setTimeout(resolve, 5));
}
