import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import type { CacheKey } from '../../proxy/cache/cache-key.js';
import { MemoryStore } from '../../proxy/cache/memory-store.js';
import { noRetention } from '../../proxy/cache/retention.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { keeping, ofClass } from './response-store/retained.js';
import { draft, isStored, key, put } from './response-store/samples.js';

const roomy = { limit: bytes(64 * 1024 * 1024), maxDocument: bytes(16 * 1024 * 1024), variants: 32 };
const pins = keeping({ '/pinned/': { pinned: true } });

describe('MemoryStore with pins', () => {
  const fill = async (store: MemoryStore, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await put(store, 'x', { key: key(`/pinned/${i}`) });
  };

  it('evicts nothing that is pinned by now, even before it was looked at again', async () => {
    const store = new MemoryStore(roomy);
    await fill(store, 4500);
    await store.resize({ ...roomy, limit: store.usage().bytes });
    for (let i = 0; i < 2500; i++) store.lookUp(key(`/pinned/${i}`));
    const retained = store.retain(pins);
    assert.equal(store.write(draft(store, { key: key('/other') })), null);
    assert.equal(store.usage().evicted, 0);
    await retained;
    assert.equal(ofClass(store, '/pinned/').responses, 4500);
  });

  it('looks at what it has in several turns, and forgets the retention before when there is another one', async () => {
    const store = new MemoryStore(roomy);
    await fill(store, 4500);
    const first = store.retain(pins);
    assert.ok(ofClass(store, '/pinned/').responses < 4500, 'it is not all done at once');
    const second = store.retain(noRetention);
    await Promise.all([first, second]);
    assert.deepEqual(
      store.classes().map(({ name, responses }) => [name, responses]),
      [['', 4500]],
    );
  });

  it('keeps no copies of what another store has, but what is its own, and the copies once it stands alone', async () => {
    const store = new MemoryStore({ ...roomy, limit: bytes(100_000) });
    await store.retain(pins, true);
    await put(store, 'own', { key: key('/pinned/own') });
    const elsewhere = new MemoryStore(roomy);
    const copy = async (under: CacheKey): Promise<void> => {
      const stored: StoredResponse = await put(elsewhere, 'copy', { key: under });
      store.adopt([{ stored, content: Buffer.from('copy') }], store.generation());
    };
    const overfill = async (name: string): Promise<void> => {
      for (let i = 0; i < 20; i++) await put(store, Buffer.alloc(8000), { key: key(`/${name}/${i}`) });
    };
    await copy(key('/pinned/copy'));
    await overfill('a');
    assert.equal(await isStored(store, key('/pinned/own')), true);
    assert.equal(await isStored(store, key('/pinned/copy')), false);
    await copy(key('/pinned/copy'));
    await store.retain(pins, false);
    await overfill('b');
    assert.equal(await isStored(store, key('/pinned/copy')), true);
  });

  it('reports what it refuses for them, with the figures', async () => {
    const refused: unknown[] = [];
    const limit = bytes(100_000);
    const store = new MemoryStore({ ...roomy, limit, onPinsFull: (full) => refused.push(full) });
    await store.retain(pins);
    await put(store, Buffer.alloc(40_000), { key: key('/pinned/a') });
    const { pinned } = store;
    assert.ok(pinned > 40_000, `${pinned} bytes`);
    await put(store, Buffer.alloc(30_000), { key: key('/pinned/b') });
    const wanted = draft(store, { key: key('/pinned/c') }, { length: bytes(20_000) });
    assert.equal(store.write(wanted), null);
    const [first] = refused as { of: unknown; wanted: number; pinned: number; limit: number }[];
    assert.equal(refused.length, 1);
    assert.deepEqual([first?.of, first?.pinned, first?.limit], [pins.classes[0], store.pinned, 90_000]);
    assert.ok((first?.wanted ?? 0) > 20_000, `${first?.wanted} bytes`);
  });
});
