import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import { MemoryStore } from '../../proxy/cache/memory-store.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { WillisError } from '../../proxy/base/errors.js';
import { Fields } from '../../proxy/http/fields.js';
import { describeResponseStore } from './response-store.contract.js';
import { begin, key, metadata, put } from './response-store/samples.js';

const roomy = { limit: bytes(64 * 1024 * 1024), maxDocument: bytes(16 * 1024 * 1024), variants: 32 };

describeResponseStore('MemoryStore', (bounds) => new MemoryStore({ ...roomy, ...bounds }));

describe('MemoryStore', () => {
  const firstChunk = (store: MemoryStore, stored: StoredResponse): Buffer => {
    const chunk = store.open(stored, bytes(0), stored.length ?? bytes(0)).read();
    assert.ok(Buffer.isBuffer(chunk), 'not at hand');
    return chunk;
  };

  it('answers at once, with the same list while nothing changes', async () => {
    const store = new MemoryStore(roomy);
    await put(store, 'hello');
    const found = store.lookUp(key('/'));
    assert.ok(Array.isArray(found) && Object.isFrozen(found), 'not a frozen array');
    assert.equal(store.lookUp(key('/')), found);
    assert.equal(store.peek(key('/')), found);
  });

  it('does not copy a stored body to send it', async () => {
    const store = new MemoryStore(roomy);
    const stored = await put(store, Buffer.alloc(1000));
    assert.equal(firstChunk(store, stored), firstChunk(store, stored));
    const part = store.open(stored, bytes(100), bytes(200)).read() as Buffer;
    assert.equal(part.buffer, firstChunk(store, stored).buffer);
  });

  it('keeps a small body in one buffer of its size, not in the buffers it was received in', async () => {
    const store = new MemoryStore(roomy);
    const received = Buffer.allocUnsafeSlow(64 * 1024);
    for (const cut of [[1000], [300, 700], [1, 1, 1, 997]]) {
      const writer = begin(store);
      let at = 5000;
      for (const length of cut) writer.append(received.subarray(at, (at += length)));
      const chunk = firstChunk(store, (await writer.commit(Fields.none)) as StoredResponse);
      assert.equal(chunk.length, 1000);
      assert.equal(chunk.buffer.byteLength, 1000);
    }
  });

  it('keeps the large chunks of a large body as they came', async () => {
    const store = new MemoryStore(roomy);
    const received = Buffer.alloc(64 * 1024, 'x');
    const writer = begin(store);
    for (let i = 0; i < 3; i++) writer.append(received);
    assert.equal(firstChunk(store, (await writer.commit(Fields.none)) as StoredResponse), received);
  });

  it('gives the bytes of a response that is named by a copy', async () => {
    const store = new MemoryStore(roomy);
    const stored = await put(store, 'hello');
    assert.equal(firstChunk(store, { ...stored }).toString(), 'hello');
    assert.throws(() => firstChunk(store, { ...stored, id: 'other' }), WillisError);
  });

  it('refuses to read bytes that are not held', async () => {
    const store = new MemoryStore(roomy);
    const stored = await put(store, 'hello');
    assert.throws(() => store.open(stored, bytes(2), bytes(6)), RangeError);
  });

  it('evicts nothing for a response that takes the place of an equally large one', async () => {
    const store = new MemoryStore({ ...roomy, limit: bytes(100 * 1024) });
    await put(store, Buffer.alloc(40 * 1024), { key: key('/other') });
    for (let i = 0; i < 3; i++) {
      const stored = await put(store, Buffer.alloc(20 * 1024));
      store.freshen(stored, metadata(), store.generation());
    }
    assert.equal(store.usage().evicted, 0);
  });

  it('does not let invalidation keep a key from being evicted', async () => {
    const store = new MemoryStore({ ...roomy, limit: bytes(100 * 1024) });
    await put(store, 'x', { key: key('/marked') });
    for (let i = 0; store.usage().evicted === 0; i++) {
      await put(store, Buffer.alloc(1024), { key: key(`/${i}`) });
      await store.invalidate(key('/marked'));
    }
    assert.deepEqual(store.peek(key('/marked')), []);
  });

  it('counts the overhead of every piece of a body in pieces', async () => {
    const store = new MemoryStore({ ...roomy, limit: bytes(200 * 1024) });
    const length = bytes(20_000);
    let extend: StoredResponse | null = null;
    for (let from = 0; from < length; from += 2) {
      const writer = begin(store, {}, { from: bytes(from), length, ...(extend && { extend }) });
      writer.append(Buffer.from('x'));
      const stored = await writer.abandon(true);
      if (stored === null) break;
      extend = stored;
    }
    assert.ok(extend !== null && extend.held.length > 50 && extend.held.length < 1000, String(extend?.held.length));
    assert.ok(store.usage().bytes <= 200 * 1024, String(store.usage().bytes));
  });
});
