import assert from 'node:assert/strict';
import { bytes, epochMs, type Bytes } from '../../../config/units.js';
import type { ResponseStore } from '../../../proxy/cache/response-store.js';
import { mostPinned, noRetention } from '../../../proxy/cache/retention.js';
import { Fields } from '../../../proxy/http/fields.js';
import { inAll, keeping, ofClass } from './retained.js';
import { begin, draft, isStored, key, metadata, only, put, read, useStore, type CreateStore } from './samples.js';

const limit = bytes(400 * 1024);
const chunk = Buffer.alloc(8 * 1024, 'c');
const now = epochMs(2_000_000);

/** Stores under /<name>/0, /<name>/1, …; gives how many were taken. */
async function putMany(store: ResponseStore, name: string, count: number): Promise<number> {
  let taken = 0;
  for (let i = 0; i < count; i++) {
    const writer = store.write(draft(store, { key: key(`/${name}/${i}`) }, { length: bytes(chunk.length) }));
    if (writer !== null && (await writer.append(chunk)) && (await writer.commit(Fields.none)) !== null) taken++;
  }
  return taken;
}

async function storedOf(store: ResponseStore, name: string, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) if (await isStored(store, key(`/${name}/${i}`))) found.push(i);
  return found;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What a store keeps whatever else comes, and what it lets go of for the share of a class. */
export function describeRetention(createStore: CreateStore): void {
  const store = useStore(createStore, { limit });
  const isCounted = (): void => {
    const { responses, bytes: all } = store().usage();
    assert.deepEqual(inAll(store()), { responses, bytes: all });
  };

  describe('pinned responses', () => {
    beforeEach(() => store().retain(keeping({ '/pinned/': { pinned: true } })));

    it('stay, whatever else is stored', async () => {
      await putMany(store(), 'pinned', 10);
      await putMany(store(), 'other', 200);
      assert.deepEqual(await storedOf(store(), 'pinned', 10), upTo(10));
      assert.equal(await isStored(store(), key('/other/0')), false);
      assert.equal(await isStored(store(), key('/other/199')), true);
      assert.equal(ofClass(store(), '/pinned/').evicted, 0);
      assert.equal(ofClass(store(), '').evicted, store().usage().evicted);
      isCounted();
    });

    it('take nine tenths of the store, and are refused beyond; others have the rest', async () => {
      await putMany(store(), 'other', 200);
      const taken = await putMany(store(), 'pinned', 200);
      assert.deepEqual(await storedOf(store(), 'pinned', 200), upTo(taken));
      const { bytes: pinned, refused } = ofClass(store(), '/pinned/');
      assert.ok(pinned <= mostPinned(limit), `${pinned} bytes`);
      assert.ok(pinned > mostPinned(limit) - 2 * (chunk.length + 4096), `${pinned} bytes`);
      assert.ok(refused >= 200 - taken, `${refused} refused`);
      assert.equal(await putMany(store(), 'other', 200), 200);
      assert.equal(await isStored(store(), key('/other/199')), true);
      assert.ok(store().usage().bytes <= limit, 'the limit holds');
      isCounted();
    });

    it('are refused with the reason that others like them have the room', async () => {
      await putMany(store(), 'pinned', 200);
      const wanted = draft(store(), { key: key('/pinned/more') }, { length: bytes(2 * chunk.length) });
      assert.equal(store().write(wanted), null);
      assert.equal(store().refusal(wanted), 'pins-full');
      const tooLong = draft(store(), { key: key('/other') }, { length: bytes(1024 * 1024) });
      assert.equal(store().write(tooLong), null);
      assert.equal(store().refusal(tooLong), 'too-large');
    });

    it('keep others out that would take more than they leave', async () => {
      await putMany(store(), 'pinned', 200);
      const wanted = draft(store(), { key: key('/other') }, { length: bytes(limit / 4) });
      assert.equal(store().write(wanted), null);
      assert.equal(store().refusal(wanted), 'pins-full');
      assert.ok(ofClass(store(), '').refused > 0, 'it is counted');
    });

    it('of a length that only their end tells are given up when there is no more room', async () => {
      const taken = await putMany(store(), 'pinned', 200);
      const writer = store().write(draft(store(), { key: key('/pinned/more') }));
      let has = writer !== null;
      for (let i = 0; has && i < 8; i++) has = await writer!.append(chunk);
      assert.equal(has, false);
      assert.equal((await writer?.commit(Fields.none)) ?? null, null);
      assert.deepEqual(await storedOf(store(), 'pinned', 200), upTo(taken));
      isCounted();
    });

    it('are replaced by newer ones, and freshened', async () => {
      await put(store(), chunk, { key: key('/pinned/a') });
      const before = ofClass(store(), '/pinned/');
      const stored = await put(store(), 'newer', { key: key('/pinned/a') });
      assert.equal(await read(store(), stored), 'newer');
      const longer = metadata({ key: key('/pinned/a'), fields: Fields.of({ ETag: '"1"', 'X-More': 'more' }) });
      const freshened = await store().freshen(await only(store(), longer.key), longer, store().generation());
      assert.ok(freshened, 'it is freshened');
      const { responses, bytes: size } = ofClass(store(), '/pinned/');
      assert.equal(responses, 1);
      assert.ok(size < before.bytes, `${size} of ${before.bytes} bytes`);
      isCounted();
    });

    it('are freshened even when there is no room for further ones', async () => {
      await putMany(store(), 'pinned', 200);
      const longer = metadata({
        key: key('/pinned/0'),
        fields: Fields.of({ ETag: '"1"', 'X-More': 'm'.repeat(9000) }),
      });
      const freshened = await store().freshen(await only(store(), longer.key), longer, store().generation());
      assert.equal(freshened?.fields.first('x-more')?.length, 9000);
      assert.ok(store().usage().bytes <= limit, 'the limit holds');
    });

    it('are removed, invalidated and purged as others are', async () => {
      await putMany(store(), 'pinned', 3);
      await store().remove(await only(store(), key('/pinned/0')));
      await store().invalidate(key('/pinned/1'));
      assert.equal((await only(store(), key('/pinned/1'))).invalidated, true);
      const prefixes = ['http://example.com/pinned/'];
      assert.equal(await store().purge({ kind: 'prefix', prefixes }, 'hard', now), 2);
      assert.deepEqual([ofClass(store(), '/pinned/').responses, ofClass(store(), '/pinned/').bytes], [0, 0]);
      assert.ok((await putMany(store(), 'pinned', 200)) > 20, 'there is room again');
    });

    it('go like others once they are pinned no more, and no further one goes from when they are', async () => {
      await putMany(store(), 'pinned', 10);
      await store().retain(noRetention);
      await putMany(store(), 'other', 200);
      assert.deepEqual(await storedOf(store(), 'pinned', 10), []);
      const before = await storedOf(store(), 'other', 200);
      const retained = store().retain(keeping({ '/other/': { pinned: true } }));
      await putMany(store(), 'more', 200);
      await retained;
      assert.deepEqual(await storedOf(store(), 'other', 200), before);
      assert.equal(ofClass(store(), '/other/').responses, before.length);
      isCounted();
    });

    it('go in their turn once they are pinned no more, also where others have long been evicted', async () => {
      await putMany(store(), 'other', 20);
      await putMany(store(), 'pinned', 10);
      await putMany(store(), 'more', 100);
      await store().retain(noRetention);
      await putMany(store(), 'last', 200);
      assert.deepEqual(await storedOf(store(), 'pinned', 10), []);
      isCounted();
    });

    it('may be all there is, so that nothing else is taken, until one goes', async () => {
      await putMany(store(), 'other', 200);
      await store().retain(keeping({ '/': { pinned: true } }));
      const before = inAll(store());
      assert.equal(await putMany(store(), 'more', 5), 0);
      assert.deepEqual(inAll(store()), before);
      await store().purge({ kind: 'prefix', prefixes: ['http://example.com/other/'] }, 'hard', now);
      assert.equal(await putMany(store(), 'more', 5), 5);
    });
  });

  describe('a share', () => {
    const share = bytes(100 * 1024);
    beforeEach(() =>
      store().retain(keeping({ '/share/': { maxBytes: share }, '/both/': { pinned: true, maxBytes: share } })),
    );

    it('is never exceeded; what was used longest ago of the class goes first, and nothing else', async () => {
      await putMany(store(), 'other', 5);
      for (let i = 0; i < 60; i++) {
        await put(store(), chunk, { key: key(`/share/${i}`) });
        assert.ok(ofClass(store(), '/share/').bytes <= share, 'the share holds');
        assert.equal((await store().lookUp(key('/share/0'))).length, 1);
      }
      const left = await storedOf(store(), 'share', 60);
      assert.deepEqual(left, [0, ...upTo(60).slice(61 - left.length)]);
      assert.ok(left.length > 3, `${left.length} left`);
      assert.deepEqual(await storedOf(store(), 'other', 5), upTo(5));
      const { evicted, responses } = ofClass(store(), '/share/');
      assert.deepEqual([evicted, responses], [60 - left.length, left.length]);
      isCounted();
    });

    it('holds for what is being written too', async () => {
      const writers = [];
      for (let i = 0; i < 40; i++) {
        const writer = store().write(draft(store(), { key: key(`/share/${i}`) }));
        if (writer === null) break;
        if (!(await writer.append(chunk))) break;
        writers.push(writer);
      }
      assert.ok(writers.length > 3 && writers.length < 13, `${writers.length} at once`);
      await Promise.all(writers.map(async (writer) => writer.commit(Fields.none)));
      const { responses, evicted, bytes: size } = ofClass(store(), '/share/');
      assert.equal(responses + evicted, writers.length);
      assert.ok(size <= share && evicted <= 1, `${size} bytes, ${evicted} evicted`);
      isCounted();
    });

    it('is kept to by what is stored at once', async () => {
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => putMany(store(), `share/${name}`, 20)));
      assert.ok(ofClass(store(), '/share/').bytes <= share, 'the share holds');
      assert.ok(ofClass(store(), '/share/').responses > 3, 'it is used');
      isCounted();
    });

    it('takes nothing that is larger', () => {
      const wanted = draft(store(), { key: key('/share/large') }, { length: bytes(share + 1) });
      assert.equal(store().write(wanted), null);
      assert.equal(store().refusal(wanted), 'too-large');
    });

    it('goes with the rest where room is needed for others', async () => {
      await putMany(store(), 'share', 5);
      await putMany(store(), 'other', 200);
      assert.deepEqual(await storedOf(store(), 'share', 5), []);
    });

    it('of what is pinned takes no more when it is full', async () => {
      const taken = await putMany(store(), 'both', 60);
      assert.deepEqual(await storedOf(store(), 'both', 60), upTo(taken));
      const { bytes: size, evicted } = ofClass(store(), '/both/');
      assert.ok(size <= share && evicted === 0, `${size} bytes, ${evicted} evicted`);
      const wanted = draft(store(), { key: key('/both/more') }, { length: bytes(2 * chunk.length) });
      assert.equal(store().write(wanted), null);
      assert.equal(store().refusal(wanted), 'pins-full');
    });

    it('holds for what was begun before there was one', async () => {
      await putMany(store(), 'later', 12);
      const writer = begin(store(), { key: key('/later/last') });
      assert.equal(await writer.append(chunk), true);
      await store().retain(keeping({ '/later/': { maxBytes: share } }));
      await writer.commit(Fields.none);
      const { bytes: size, responses } = ofClass(store(), '/later/');
      assert.ok(size <= share && responses > 3, `${size} bytes, ${responses} responses`);
      assert.equal(await isStored(store(), key('/later/last')), true);
      isCounted();
    });

    it('that is given to what is stored already evicts what is beyond it', async () => {
      await putMany(store(), 'later', 30);
      const retention = (maxBytes: Bytes) => keeping({ '/later/': { maxBytes } });
      await store().retain(retention(share));
      const { bytes: size, responses } = ofClass(store(), '/later/');
      assert.ok(size <= share && size > share / 2, `${size} bytes`);
      assert.equal((await storedOf(store(), 'later', 30)).length, responses);
      await store().retain(retention(bytes(share / 2)));
      assert.ok(ofClass(store(), '/later/').bytes <= share / 2, 'the smaller one holds');
      isCounted();
    });
  });
}
