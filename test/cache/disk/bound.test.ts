import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import { draft, key } from '../response-store/samples.js';
import { DiskExample } from './disk-example.js';

/** What the index may take beyond its records, as docs/storage.md says. */
const slack = 16 * 1024 * 1024;

describe('the limit of a store on disk', () => {
  let example: DiskExample;
  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  it('holds for what the directory takes, whatever is stored at once, and through restarts', async () => {
    const limit = bytes(24 * 1024 * 1024);
    const sizes = fc.sample(
      fc.oneof(fc.nat({ max: 20_000 }), fc.nat({ max: 300_000 }), fc.nat({ max: 3_000_000 })),
      600,
    );
    let store = await example.open({ limit });
    let stored = 0;
    const put = async (size: number, i: number): Promise<void> => {
      const writer = store.write(draft(store, { key: key(`/${i % 200}`) }, i % 2 === 0 ? { length: bytes(size) } : {}));
      let taken = writer !== null;
      for (let left = size; taken && left > 0; left -= 65_536) {
        taken = await writer!.append(Buffer.alloc(Math.min(left, 65_536), 'x'));
        assert.ok(store.usage().bytes <= limit, String(store.usage().bytes));
      }
      const kept = i % 7 === 0 ? await writer?.abandon(i % 3 === 0) : await writer?.commit(Fields.none);
      if (kept != null) stored++;
    };
    for (let i = 0; i < sizes.length; i += 12) {
      await Promise.all(sizes.slice(i, i + 12).map((size, j) => put(size, i + j)));
      assert.ok(example.taken() <= limit + slack, `${example.taken()} bytes`);
      if (i % 120 !== 0) continue;
      await store.close();
      store = await example.open({ limit });
    }
    assert.ok(stored > 300 && store.usage().evicted > 0, `${stored} stored`);
    assert.deepEqual(example.unwell, []);
  });

  it('leaves nothing behind where nothing is stored', async () => {
    const store = await example.open();
    for (const size of [10, 20_000, 500_000]) {
      for (const how of ['drop', 'keep', 'commit'] as const) {
        const writer = store.write(draft(store, { key: key(`/${size}`) }))!;
        await writer.append(Buffer.alloc(size));
        if (how === 'commit') await writer.commit(Fields.none);
        else await writer.abandon(how === 'keep');
      }
      for (const one of await store.peek(key(`/${size}`))) await store.remove(one);
    }
    assert.equal(store.usage().bytes, 0);
    await store.close();
    await (await example.open()).close();
    assert.ok(example.taken() < 1024 * 1024, String(example.taken()));
  });
});
