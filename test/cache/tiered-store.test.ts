import assert from 'node:assert/strict';
import { bytes, type Bytes } from '../../config/units.js';
import type { DiskOptions } from '../../proxy/cache/disk/disk-options.js';
import { DiskStore } from '../../proxy/cache/disk/disk-store.js';
import { InvalidationOrder } from '../../proxy/cache/invalidation-marks.js';
import { MemoryResponse } from '../../proxy/cache/memory-response.js';
import { MemoryStore } from '../../proxy/cache/memory-store.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { TieredStore } from '../../proxy/cache/tiered-store.js';
import { systemClock } from '../../proxy/base/clock.js';
import { readAll } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { TempDir } from '../support/temp-dir.js';
import { DiskExample } from './disk/disk-example.js';
import { FaultyFileSystem } from './disk/faulty-file-system.js';
import { slowDisk } from './disk/slow-disk.js';
import { describeResponseStore } from './response-store.contract.js';
import { begin, key, metadata, only, put, read, varying } from './response-store/samples.js';

const memoryOf = (limit: Bytes, order: InvalidationOrder): MemoryStore =>
  new MemoryStore({ limit, maxDocument: limit, variants: 32, order });
const large = bytes(64 * 1024 * 1024);

describe('TieredStore in the contract', () => {
  let temporary: TempDir;
  let count = 0;
  before(async () => {
    temporary = await TempDir.create();
  });
  after(() => temporary.remove());

  for (const [name, memory, machine] of [
    ['much', large, {}],
    ['hardly any', bytes(20_000), slowDisk()],
  ] as const) {
    describeResponseStore(`TieredStore with ${name} memory`, async (bounds) => {
      const order = new InvalidationOrder();
      const disk = await DiskStore.open({
        ...{ limit: bytes(256 * 1024 * 1024), maxDocument: bytes(16 * 1024 * 1024), variants: 32 },
        ...{ directory: `${temporary.path}/${++count}`, clock: systemClock, order },
        onUnwell: (error) => {
          throw error;
        },
        onWell: () => undefined,
        ...machine,
        ...bounds,
      });
      return new TieredStore(memoryOf(memory, order), disk);
    });
  }
});

describe('TieredStore', () => {
  let example: DiskExample;
  let memory: MemoryStore;
  let disk: DiskStore;
  let store: TieredStore;

  const open = async (over: Partial<DiskOptions> = {}): Promise<void> => {
    const order = new InvalidationOrder();
    memory = memoryOf(large, order);
    disk = await example.open({ order, isUsed: (one) => memory.peek(one).length > 0, ...over });
    store = new TieredStore(memory, disk);
  };

  beforeEach(async () => {
    example = await DiskExample.create();
    await open();
  });
  afterEach(() => example.remove());

  /** Asks for what is stored under a key as a client does. */
  const get = async (path = '/'): Promise<{ stored: StoredResponse; text: string }> => {
    const [stored] = await store.lookUp(key(path));
    assert.ok(stored?.length != null, 'nothing of known length');
    assert.equal(await store.ready(stored, bytes(0), stored.length), true);
    const body = store.open(stored, bytes(0), stored.length);
    return { stored, text: (await readAll(body, bytes(1 << 30))).toString() };
  };

  /** Until it is in memory. */
  const raised = async (path = '/'): Promise<void> => {
    for (let i = 0; i < 1000 && memory.peek(key(path)).length === 0; i++) {
      await get(path);
      await new Promise(setImmediate);
    }
    assert.ok(memory.peek(key(path)).length > 0, String(memory.peek(key(path)).length));
  };

  for (const [size, content] of [
    ['short', 'hello'],
    ['long', 'hello '.repeat(50_000)],
  ] as const) {
    it(`brings a ${size} response that is asked for again to memory, all its variants, and answers from there at once`, async () => {
      await put(store, 'german', { selecting: varying('de') });
      await put(store, content);
      await store.invalidateGroup('|http://example.com', 'none');
      assert.equal((await get()).stored instanceof MemoryResponse, false);
      await raised();
      const found = store.lookUp(key('/'));
      assert.ok(Array.isArray(found), 'not at hand');
      assert.equal(found.length, 2);
      assert.equal(store.ready(found[0] as StoredResponse, bytes(0), bytes(5)), true);
      assert.equal(await read(store, found[0] as StoredResponse), content);
      assert.deepEqual(
        (found as StoredResponse[]).map(({ id }) => id),
        (await disk.peek(key('/'))).map(({ id }) => id),
      );
    });
  }

  it('does not bring to memory what is asked for once', async () => {
    await put(store, 'hello');
    await put(store, 'hello', { key: key('/again') });
    assert.equal((await get()).text, 'hello');
    await raised('/again');
    assert.equal(memory.peek(key('/')).length, 0);
  });

  it('keeps on disk what memory evicts', async () => {
    await put(store, 'hello');
    await raised();
    memory.forget(key('/'));
    assert.equal((await get()).text, 'hello');
  });

  it('shows no copy of what was replaced, freshened, invalidated, purged or removed', async () => {
    const changes: (() => Promise<unknown>)[] = [
      () => put(store, 'new'),
      async () => store.freshen(await only2(), metadata(), store.generation()),
      () => store.invalidate(key('/')),
      () => store.invalidateGroup('|http://example.com', 'g'),
      () => store.purge({ kind: 'host', host: 'example.com', origins: null }, 'soft', example.clock.now()),
      () => store.purge({ kind: 'host', host: 'example.com', origins: null }, 'hard', example.clock.now()),
      async () => store.remove(await only2()),
    ];
    for (const change of changes) {
      await put(store, 'old', { groups: ['g'] });
      await raised();
      await change();
      const [shown] = await store.lookUp(key('/'));
      const [stored] = await disk.peek(key('/'));
      assert.equal(shown?.id, stored?.id);
      assert.equal(shown?.invalidated, stored?.invalidated);
      assert.deepEqual(shown?.freshness.lifetimeSource, stored?.freshness.lifetimeSource);
    }
  });

  const only2 = (): Promise<StoredResponse> => only(store);

  it('waits for what has all come and is being stored, and shows no copy of what that replaces', async () => {
    await put(store, 'old');
    for (let i = 0; i < 3; i++) await read(store, await only(store));
    for (const content of ['new', 'newer']) {
      const writer = begin(store, {}, { length: bytes(content.length) });
      await writer.append(Buffer.from(content));
      const stored = writer.commit(Fields.none);
      assert.equal(await read(store, await only(store)), content);
      assert.notEqual(await stored, null);
    }
  });

  it('has the bytes of a response in memory that was freshened without reading them again', async () => {
    await put(store, 'x'.repeat(100_000));
    await raised();
    const freshened = await store.freshen(await only2(), metadata(), store.generation());
    assert.ok(freshened, 'no freshened');
    const body = store.open(freshened, bytes(0), bytes(100_000));
    assert.ok(Buffer.isBuffer(body.read()), 'not at hand');
  });

  it('does not evict from disk what is used in memory, as long as there is something else', async () => {
    await disk.close();
    await open({ limit: bytes(200_000), directory: `${example.directory}2` });
    await put(store, 'used', { key: key('/used') });
    await raised('/used');
    for (let i = 0; store.usage().evicted < 200; i++) await put(store, 'x'.repeat(1000), { key: key(`/${i}`) });
    assert.equal((await disk.peek(key('/used'))).length, 1);
  });

  it('leaves what is large on disk', async () => {
    await put(store, Buffer.alloc(4 * 1024 * 1024));
    for (let i = 0; i < 5; i++) await get();
    assert.equal(memory.usage().responses, 0);
  });

  it('is a store in memory while the disk is unwell, and trusts nothing older afterwards', async () => {
    const system = new FaultyFileSystem();
    await disk.close();
    await open({ system, directory: `${example.directory}2` });
    await put(store, 'old', { key: key('/') });
    await put(store, 'other', { key: key('/other') });
    system.fail('open', 'EROFS');
    system.fail('writeText', 'EROFS');
    const writer = store.write({
      metadata: metadata({ key: key('/large') }),
      generation: store.generation(),
      from: bytes(0),
      length: bytes(100_000),
    });
    await writer!.append(Buffer.alloc(100_000));
    assert.equal(await writer!.abandon(true), null);
    assert.equal(disk.isWell, false);
    await put(store, 'new');
    assert.equal((await get()).text, 'new');
    const well = example.nextWell();
    system.work();
    await well;
    assert.equal((await get()).text, 'new');
    assert.equal((await only(store, key('/other'))).invalidated, true);
    memory.forget(key('/'));
    assert.equal((await only2()).invalidated, true);
  });
});
