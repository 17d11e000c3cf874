import assert from 'node:assert/strict';
import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { openKeyValue } from '../../../proxy/base/key-value.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { key, put, varying } from '../response-store/samples.js';
import { DiskExample } from './disk-example.js';

describe('bytes in the index that nothing refers to any more', () => {
  let example: DiskExample;

  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  const fill = async (store: DiskStore): Promise<void> => {
    for (let i = 0; i < 12; i++) await put(store, 'x'.repeat(15_000), { selecting: varying(`${i}`) });
  };

  const removeAll = async (store: DiskStore): Promise<void> => {
    for (const one of await store.lookUp(key('/'))) await store.remove(one);
  };

  const left = async (): Promise<{ contents: number; graves: number }> => {
    const index = await openKeyValue(join(example.directory, 'index'));
    const counts = { contents: 0, graves: 0 };
    for await (const found of index.keys({ from: 'b!', before: 'b"' })) if (found !== '') counts.contents++;
    for await (const found of index.keys({ from: 'x!', before: 'x"' })) if (found !== '') counts.graves++;
    await index.close();
    return counts;
  };

  it('are gone after the store was closed', async () => {
    const store = await example.open();
    await fill(store);
    await removeAll(store);
    await store.close();
    assert.deepEqual(await left(), { contents: 0, graves: 0 });
  });

  it('make room for others', async () => {
    const limit = bytes(250_000);
    const store = await example.open({ limit });
    for (let round = 0; round < 4; round++) {
      await fill(store);
      assert.equal(store.usage().responses, 12);
      assert.ok(store.usage().bytes <= limit, 'it takes more');
      await removeAll(store);
    }
    assert.equal(store.usage().evicted, 0);
  });

  it('are held while they are read', async () => {
    const limit = bytes(250_000);
    const store = await example.open({ limit });
    await fill(store);
    const [, , , , , , one] = await store.lookUp(key('/'));
    assert.ok(one !== undefined, 'it is gone');
    const body = store.open(one, bytes(0), bytes(15_000));
    await removeAll(store);
    await fill(store);
    await store.upkeep.compact({ signal: new AbortController().signal, onProgress: () => undefined });
    assert.equal((await body.read())?.toString(), 'x'.repeat(15_000));
    body.cancel();
    await removeAll(store);
    await store.close();
    assert.deepEqual(await left(), { contents: 0, graves: 0 });
  });
});
