import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import { MemoryStore } from '../../proxy/cache/memory-store.js';
import { Fields } from '../../proxy/http/fields.js';
import { gate } from '../support/gate.js';
import { describeResponseStore } from './response-store.contract.js';
import { begin, isStored, key, put, varying } from './response-store/samples.js';

const roomy = { limit: bytes(64 * 1024 * 1024), maxDocument: bytes(16 * 1024 * 1024), variants: 32 };

describeResponseStore('MemoryStore that was made with other bounds', async (bounds) => {
  const store = new MemoryStore({ limit: bytes(1), maxDocument: bytes(1), variants: 1 });
  await store.resize({ ...roomy, ...bounds });
  return store;
});

describe('MemoryStore, resized', () => {
  it('evicts the least recently used first, and no more than it must', async () => {
    const store = new MemoryStore(roomy);
    for (const path of ['/a', '/b', '/c', '/d']) await put(store, Buffer.alloc(10_000), { key: key(path) });
    store.lookUp(key('/a'));
    await store.resize({ ...roomy, limit: bytes(Math.ceil((store.usage().bytes * 3) / 4)) });
    const kept = await Promise.all(['/a', '/b', '/c', '/d'].map((path) => isStored(store, key(path))));
    assert.deepEqual(kept, [true, false, true, true]);
    assert.deepEqual([store.usage().responses, store.usage().evicted], [3, 1]);
  });

  it('lets go of many in several turns, and never takes more than its limit meanwhile', async () => {
    const store = new MemoryStore(roomy);
    for (let i = 0; i < 10_000; i++) await put(store, 'x', { key: key(`/${i}`) });
    const before = store.usage().bytes;
    const done = gate();
    const resized = store.resize({ ...roomy, limit: bytes(50_000) }).then(() => done.open());
    let turns = 0;
    for (; !done.isOpen; turns++) {
      await put(store, 'y', { key: key(`/new/${turns}`) });
      assert.ok(store.usage().bytes <= store.usage().limit, String(store.usage().bytes));
      await new Promise(setImmediate);
    }
    await resized;
    assert.ok(turns > 1, String(turns));
    assert.ok(before > 1_000_000 && store.usage().bytes <= 50_000, `${before}, then ${store.usage().bytes}`);
    assert.equal(store.usage().limit, 50_000);
  });

  it('to nothing stores nothing, whatever is being written', async () => {
    const store = new MemoryStore(roomy);
    await put(store, 'x', { key: key('/a') });
    const writer = begin(store, { key: key('/b') });
    await writer.append(Buffer.from('begun'));
    await store.resize({ ...roomy, limit: bytes(0) });
    await writer.append(Buffer.from('and ended'));
    assert.equal(await writer.commit(Fields.none), null);
    assert.deepEqual([store.usage().responses, store.usage().bytes], [0, 0]);
    await store.resize(roomy);
    await put(store, 'x');
  });

  it('lets go of documents that are too large now, and of variants beyond the cap, the least used first', async () => {
    const store = new MemoryStore(roomy);
    await put(store, Buffer.alloc(10_000), { key: key('/large') });
    const variants = [];
    for (const language of ['en', 'de', 'fr'])
      variants.push(await put(store, language, { selecting: varying(language) }));
    store.open(variants[0]!, bytes(0), bytes(2)).cancel();
    await store.resize({ ...roomy, maxDocument: bytes(5000), variants: 2 });
    assert.equal(await isStored(store, key('/large')), false);
    assert.deepEqual(
      store.peek(key('/')).map(({ selecting }) => selecting.values[0]),
      ['fr', 'en'],
    );
    assert.equal(store.usage().responses, 2);
  });

  it('twice at once has the bounds of the second', async () => {
    const store = new MemoryStore(roomy);
    for (let i = 0; i < 5000; i++) await put(store, 'x', { key: key(`/${i}`) });
    await Promise.all([store.resize({ ...roomy, limit: bytes(1000) }), store.resize(roomy)]);
    assert.equal(store.usage().limit, roomy.limit);
    assert.ok(store.usage().responses >= 3000, String(store.usage().responses));
  });
});
