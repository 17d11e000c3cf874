import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { DiskResponse } from '../../../proxy/cache/disk/disk-response.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { runToMerge } from '../../../proxy/cache/disk/segment-merge.js';
import { endOf, heldBy, type Segment } from '../../../proxy/cache/disk/segment.js';
import { readAll } from '../../../proxy/http/body.js';
import type { StoredResponse } from '../../../proxy/cache/stored-response.js';
import { Fields } from '../../../proxy/http/fields.js';
import { until } from '../../support/waiting.js';
import { begin, key, only, read } from '../response-store/samples.js';
import { DiskExample } from './disk-example.js';

let names = 0;
const piece = (from: number, length: number): Segment => ({
  ...{ id: `${++names}`, inline: false, digest: '', offset: bytes(0), blockSize: bytes(65_536) },
  from: bytes(from),
  length: bytes(length),
});

describe('which segments of a response are made one', () => {
  it('are neighbours of a size, whatever else there is, in a part', () => {
    const many = Array.from({ length: 8 }, (_, i) => piece(i * 1000, 1000));
    assert.equal(runToMerge(many.slice(1), false), null);
    assert.deepEqual(runToMerge(many, false), { segments: many, from: 0, to: 8000 });
    const apart = [...many.slice(0, 4), ...many.slice(4).map(({ from }) => piece(from + 1, 999))];
    assert.equal(runToMerge(apart, false), null, 'there is a gap');
    const between = [
      ...many.slice(0, 4),
      piece(4000, 5_000_000),
      ...many.slice(4, 7).map(({ from }) => piece(from + 4_996_000, 1000)),
    ];
    assert.equal(
      runToMerge([...between].reverse(), false)?.segments.length,
      8,
      'the larger one with them, when they are many',
    );
  });

  it('are all of a short response that is complete', () => {
    const two = [piece(0, 100), piece(50, 1000)];
    assert.deepEqual(runToMerge(two, true), { segments: two, from: 0, to: 1050 });
    assert.equal(runToMerge(two, false), null);
    assert.equal(runToMerge([piece(0, 100)], true), null);
    assert.equal(runToMerge([piece(0, 10), piece(10, 2_000_000)], true), null, 'of a long one it does not pay');
  });

  it('keep a response in few pieces, and cost a few copies of it, however it comes', () => {
    const part = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 4_000_000 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 600 }), fc.boolean(), (lengths, isBackward) => {
        let segments: Segment[] = [];
        const total = lengths.reduce((sum, length) => sum + length, 0);
        let [at, copied] = [0, 0];
        for (const length of lengths) {
          segments = [...segments, piece(isBackward ? total - at - length : at, length)];
          at += length;
          for (let run = runToMerge(segments, false); run !== null; run = runToMerge(segments, false)) {
            const { segments: merged, from, to } = run;
            assert.ok(merged.length >= 8, 'it does not pay');
            assert.deepEqual(heldBy(merged), [{ from, to }]);
            segments = [...segments.filter((one) => !merged.includes(one)), piece(from, to - from)];
            copied += to - from;
          }
          assert.equal(
            segments.reduce((sum, one) => sum + one.length, 0),
            at,
          );
          assert.ok(segments.length < 40, `${segments.length} pieces`);
        }
        assert.ok(copied <= 6 * total, `${copied} of ${total}`);
        assert.equal(Math.max(...segments.map(endOf)), isBackward ? total : at);
      }),
    );
  });
});

describe('a response on disk that came in many pieces', () => {
  let example: DiskExample;

  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

  /** Stores it in so many pieces, from its beginning on. */
  const putInPieces = async (store: DiskStore, count: number, of = content): Promise<void> => {
    const step = Math.ceil(of.length / count);
    for (let from = 0; from < of.length; from += step) {
      const [extend] = await store.lookUp(key('/'));
      const writer = begin(store, {}, { from: bytes(from), length: bytes(of.length), extend });
      await writer.append(of.subarray(from, from + step));
      assert.notEqual(await writer.commit(Fields.none), null);
    }
  };

  const segmentsOf = async (store: DiskStore): Promise<readonly Segment[]> => {
    const one = await only(store);
    assert.ok(one instanceof DiskResponse, 'it is not on disk');
    return one.segments;
  };

  it('is in one file when it is complete, which is all that is left of it', async () => {
    const store = await example.open();
    await putInPieces(store, 100);
    await until(async () => (await segmentsOf(store)).length === 1);
    const one = await only(store);
    assert.equal(one.complete, true);
    assert.equal(await read(store, one), content.toString('latin1'));
    await until(() => store.usage().bytes < 320_000);
    const used = store.usage().bytes;
    await store.close();
    assert.equal(example.bodyFiles().length, 1);
    const next = await example.open();
    assert.equal(await read(next, await only(next)), content.toString('latin1'));
    assert.equal(next.usage().bytes, used);
  });

  it('is all known to that file, should the index be lost', async () => {
    const store = await example.open();
    await putInPieces(store, 5);
    await until(async () => (await segmentsOf(store)).length === 1);
    await store.close();
    rmSync(join(example.directory, 'index'), { recursive: true });
    const next = await example.open();
    assert.equal(await read(next, await only(next)), content.toString('latin1'));
  });

  it('can be read by those who found its pieces', async () => {
    const store = await example.open();
    await putInPieces(store, 2);
    const before = await only(store);
    const body = store.open(before, bytes(0), bytes(content.length));
    await until(async () => (await segmentsOf(store)).length === 1);
    assert.ok((await readAll(body, bytes(content.length))).equals(content), 'other bytes');
    assert.equal(await read(store, before), content.toString('latin1'));
  });

  it('is forgotten if a piece of it cannot be read, which says nothing of the disk', async () => {
    const store = await example.open();
    const half = content.length / 2;
    const put = async (from: number, extend?: StoredResponse): Promise<void> => {
      const writer = begin(store, {}, { from: bytes(from), length: bytes(content.length), extend });
      await writer.append(content.subarray(from, from + half));
      await writer.commit(Fields.none);
    };
    await put(0);
    const first = await only(store);
    for (const path of example.bodyFiles()) rmSync(path);
    await put(half, first);
    await until(async () => (await store.peek(key('/'))).length === 0);
    assert.deepEqual(example.unwell, []);
  });

  it('is in the index if it is short', async () => {
    const store = await example.open();
    const short = content.subarray(0, 3000);
    await putInPieces(store, 20, short);
    await until(async () => (await segmentsOf(store)).length === 1);
    assert.equal((await segmentsOf(store))[0]?.inline, true);
    assert.equal(await read(store, await only(store)), short.toString('latin1'));
    assert.deepEqual(example.bodyFiles(), []);
  });

  it('stays what it was made by an invalidation, its bytes moved or not', async () => {
    const store = await example.open();
    await putInPieces(store, 3);
    await store.invalidate(key('/'));
    await until(async () => (await segmentsOf(store)).length === 1);
    assert.equal((await only(store)).invalidated, true);
  });

  it('leaves nothing behind where it is removed meanwhile, or the store closed', async () => {
    for (const end of ['remove', 'close'] as const) {
      const store = await example.open();
      await putInPieces(store, 10);
      if (end === 'remove') {
        await store.remove(await only(store));
        await store.close();
        assert.deepEqual(example.bodyFiles(), []);
      } else {
        await store.close();
        const next = await example.open();
        assert.equal(await read(next, await only(next)), content.toString('latin1'));
        await next.remove(await only(next));
        await next.close();
      }
      assert.deepEqual(example.unwell, []);
    }
  });
});
