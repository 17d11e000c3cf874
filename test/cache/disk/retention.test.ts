import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { openKeyValue, type KeyRange, type KeyValue } from '../../../proxy/base/key-value.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { noRetention } from '../../../proxy/cache/retention.js';
import { inAll, keeping, ofClass } from '../response-store/retained.js';
import { isStored, key, put } from '../response-store/samples.js';
import { DiskExample } from './disk-example.js';

const retention = keeping({ '/pinned/': { pinned: true }, '/share/': { maxBytes: 200_000 } });
const limit = bytes(2 * 1024 * 1024);

/** Level, with a count of what was read of it in order, by the kind of its keys. */
class CountingRecords {
  readonly read = new Map<string, number>();

  readonly open: typeof openKeyValue = async (...given) => {
    const records = await openKeyValue(...given);
    const entries = (range: KeyRange) => this.#counted(records, range);
    return new Proxy(records, {
      get: (target, name) => {
        if (name === 'entries') return entries;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };

  async *#counted(records: KeyValue, range: KeyRange): AsyncGenerator<readonly [string, Buffer]> {
    for await (const entry of records.entries(range)) {
      const kind = entry[0].slice(0, 2);
      this.read.set(kind, (this.read.get(kind) ?? 0) + 1);
      yield entry;
    }
  }
}

describe('what is pinned and shared on disk', () => {
  let example: DiskExample;
  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  const open = (over: Partial<DiskOptions> = {}): Promise<DiskStore> => example.open({ limit, retention, ...over });

  const fill = async (store: DiskStore, name: string, count: number, size = 1000): Promise<void> => {
    for (let i = 0; i < count; i++) await put(store, Buffer.alloc(size, 'x'), { key: key(`/${name}/${i}`) });
  };

  /** The directory as a process leaves it that is killed now. */
  const killed = (): string => {
    const directory = join(example.directory, '..', `copy ${Math.random()}`);
    cpSync(example.directory, directory, { recursive: true });
    return directory;
  };

  /** What is true, by what can be found. */
  const expectRightCounts = async (store: DiskStore, names: readonly string[], most: number): Promise<void> => {
    for (const name of names) {
      let count = 0;
      for (let i = 0; i < most; i++) if (await isStored(store, key(`/${name}/${i}`))) count++;
      assert.equal(ofClass(store, `/${name}/`).responses, count, name);
    }
    const { responses, bytes: all } = store.usage();
    assert.deepEqual(inAll(store), { responses, bytes: all });
  };

  it('is counted by class through a restart and a kill, and no record is read for that', async () => {
    const first = await open();
    for (const name of ['pinned', 'share', 'other']) await fill(first, name, 150);
    const before = first.classes().map(({ name, responses, bytes: size }) => [name, responses, size]);
    assert.ok(ofClass(first, '/share/').evicted > 0, 'the share was full');
    await first.retain(retention);
    const directories = [killed()];
    await first.close();
    directories.push(example.directory);
    for (const directory of directories) {
      const records = new CountingRecords();
      const store = await open({ directory, openRecords: records.open });
      const after = store.classes().map(({ name, responses, bytes: size }) => [name, responses, size]);
      assert.deepEqual(after, before);
      assert.deepEqual([records.read.get('k!'), records.read.get('u!')], [undefined, undefined]);
      await store.close();
    }
  });

  it('keeps the order of uses of a share through a restart', async () => {
    const first = await open();
    await fill(first, 'share', 60);
    await first.close();
    const store = await open();
    await fill(store, 'share/more', 60);
    const [oldest, newest] = [await isStored(store, key('/share/0')), await isStored(store, key('/share/59'))];
    assert.deepEqual([oldest, newest], [false, true]);
  });

  it('is found out anew when the rules are others than those that it was stored by', async () => {
    const first = await open({ retention: noRetention });
    for (const name of ['pinned', 'share']) await fill(first, name, 300);
    await first.close();
    const store = await open();
    await store.retain(retention);
    await expectRightCounts(store, ['pinned', 'share'], 300);
    assert.equal(ofClass(store, '/pinned/').responses, 300);
    assert.ok(ofClass(store, '/share/').bytes <= 200_000, 'the share holds');
    await store.close();
    const records = new CountingRecords();
    const again = await open({ openRecords: records.open });
    await again.retain(retention);
    assert.equal(records.read.get('u!'), undefined);
    await expectRightCounts(again, ['pinned', 'share'], 300);
  });

  it('stays as it is where somebody opens the store who does not know the rules', async () => {
    const first = await open();
    await fill(first, 'pinned', 20);
    await first.retain(retention);
    await first.close();
    const stranger = await open({ retention: null });
    assert.deepEqual(inAll(stranger).responses, 20);
    await stranger.close();
    const records = new CountingRecords();
    const store = await open({ openRecords: records.open });
    assert.equal(ofClass(store, '/pinned/').responses, 20);
    await store.retain(retention);
    assert.equal(records.read.get('u!'), undefined);
  });

  it('is found out to the end after a process that was killed while it did so', async () => {
    const first = await open({ retention: noRetention });
    for (const name of ['pinned', 'share']) await fill(first, name, 400);
    const copies: string[] = [];
    const done = first.retain(retention).then(() => 'done' as const);
    for (let i = 0; i < 3; i++) {
      await Promise.race([done, put(first, 'x', { key: key(`/while/${i}`) })]);
      copies.push(killed());
    }
    await done;
    for (const directory of copies) {
      const store = await open({ directory });
      await store.retain(retention);
      await expectRightCounts(store, ['pinned', 'share'], 400);
      assert.equal(ofClass(store, '/pinned/').responses, 400);
      await store.close();
    }
  });

  it('is right after rules that came, went and came back while others were stored', async () => {
    const store = await open();
    await fill(store, 'pinned', 20);
    for (const round of [1, 2, 3]) {
      void store.retain(noRetention);
      await fill(store, `pinned/${round}`, 20);
      const other = store.retain(keeping({ '/share/': { pinned: true } }));
      await fill(store, 'share', 20);
      if (round === 2) await other;
      void store.retain(retention);
    }
    await store.retain(retention);
    await expectRightCounts(store, ['share'], 20);
    assert.equal(ofClass(store, '/pinned/').responses, 80);
  });

  it('is right when rules come back before those between were looked at for all', async () => {
    const store = await open();
    await fill(store, 'pinned', 600);
    await store.retain(retention);
    void store.retain(noRetention);
    await fill(store, 'pinned/between', 3);
    await store.retain(retention);
    assert.equal(ofClass(store, '/pinned/').responses, 603);
  });

  it('does not hold up eviction: what is pinned is passed over without being read', async () => {
    const records = new CountingRecords();
    const store = await open({ openRecords: records.open });
    await fill(store, 'pinned', 700);
    records.read.clear();
    await fill(store, 'other', 2000);
    const { evicted } = store.usage();
    assert.ok(evicted > 1000, `${evicted} evicted`);
    const read = records.read.get('u!') ?? 0;
    assert.ok(read <= 2000, `${read} uses were read to evict ${evicted}`);
    assert.equal(ofClass(store, '/pinned/').responses, 700);
  });

  it('is so again when the index was lost and is made from the files', async () => {
    const first = await open({ inline: bytes(0) });
    for (const name of ['pinned', 'share', 'other']) await fill(first, name, 20);
    const before = ofClass(first, '/pinned/').responses;
    await first.close();
    rmSync(join(example.directory, 'index', 'CURRENT'));
    const store = await open({ inline: bytes(0) });
    await store.retain(retention);
    assert.equal(ofClass(store, '/pinned/').responses, before);
    await expectRightCounts(store, ['pinned', 'share'], 20);
    await fill(store, 'large', 10, 300_000);
    for (let i = 0; i < 20; i++) assert.equal(await isStored(store, key(`/pinned/${i}`)), true);
  });
});
