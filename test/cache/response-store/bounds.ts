import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import type { ResponseStore, ResponseWriter } from '../../../proxy/cache/response-store.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import {
  begin,
  draft,
  isStored,
  key,
  metadata,
  only,
  put,
  read,
  useStore,
  varying,
  type CreateStore,
} from './samples.js';

const kilobyte = Buffer.alloc(1024, 'k');

/** Stores kilobytes under /<name>/0, /<name>/1, … until something was evicted; gives how many were stored. */
async function overfill(store: ResponseStore, name: string): Promise<number> {
  const before = store.usage().evicted;
  let count = 0;
  while (store.usage().evicted === before) await put(store, kilobyte, { key: key(`/${name}/${count++}`) });
  return count;
}

/** What a store holds at most, and what it lets go of. */
export function describeBounds(createStore: CreateStore): void {
  describe('limit', () => {
    const limit = bytes(100 * 1024);
    const store = useStore(createStore, { limit });
    const isWithin = (): void => {
      const usage = store().usage();
      assert.equal(usage.limit, limit);
      assert.ok(usage.bytes <= limit, `${usage.bytes} bytes`);
    };

    it('holds no more than its limit, whatever is stored', async () => {
      for (let i = 0; i < 500; i++) {
        await put(store(), kilobyte.subarray(0, (i * 37) % 1024), { key: key(`/${i}`) });
        isWithin();
      }
      assert.ok(store().usage().evicted > 0, String(store().usage().evicted));
      assert.equal(await isStored(store(), key('/499')), true);
    });

    it('counts keys and fields, not only bodies', async () => {
      for (let i = 0; i < 60; i++) {
        const fields = Fields.of({ 'X-Long': 'f'.repeat(4096) });
        await begin(store(), { key: key(`/${'k'.repeat(1000)}/${i}`), fields }).commit(Fields.none);
        isWithin();
      }
      assert.ok(store().usage().evicted > 0, String(store().usage().evicted));
    });

    it('evicts the least recently stored response first', async () => {
      const count = await overfill(store(), 'x');
      assert.equal(await isStored(store(), key('/x/0')), false);
      assert.equal(await isStored(store(), key(`/x/${count - 1}`)), true);
    });

    it('takes a look-up as a use', async () => {
      await put(store(), kilobyte, { key: key('/used') });
      for (let i = 0; i < 200; i++) {
        await put(store(), kilobyte, { key: key(`/${i}`) });
        assert.equal((await store().lookUp(key('/used'))).length, 1);
      }
    });

    it('does not take a peek as a use', async () => {
      await put(store(), kilobyte, { key: key('/peeked') });
      for (let i = 0; i < 200; i++) {
        await put(store(), kilobyte, { key: key(`/${i}`) });
        await store().peek(key('/peeked'));
      }
      assert.equal(await isStored(store(), key('/peeked')), false);
    });

    it('counts bytes that are being written, and makes room for them as they come', async () => {
      await overfill(store(), 'x');
      const writers: ResponseWriter[] = [];
      for (let i = 0; i < 200; i++) {
        const writer = store().write(draft(store(), { key: key(`/w/${i}`) }));
        isWithin();
        if (writer === null) break;
        const taken = await writer.append(kilobyte);
        isWithin();
        if (!taken) break;
        writers.push(writer);
      }
      assert.ok(writers.length > 5 && writers.length < 100, `${writers.length} at once`);
      for (const writer of writers) await writer.abandon(false);
      isWithin();
    });

    it('gives back what a writer had reserved, however it ends', async () => {
      const before = store().usage().bytes;
      const ends: ((writer: ResponseWriter) => unknown)[] = [
        (writer) => writer.abandon(false),
        (writer) => writer.abandon(true),
        (writer) => writer.commit(Fields.none),
      ];
      for (const end of ends) {
        const writer = begin(store());
        await writer.append(kilobyte);
        await end(writer);
        for (const stored of await store().peek(key('/'))) await store().remove(stored);
        assert.equal(store().usage().bytes, before);
      }
    });

    it('gives up on a response that grows too large, and keeps nothing of it', async () => {
      const writer = begin(store());
      let taken = true;
      let count = 0;
      while (taken && count < 1000) {
        taken = await writer.append(kilobyte);
        count++;
        isWithin();
      }
      assert.equal(taken, false);
      assert.ok(count <= 100, String(count));
      assert.equal(await writer.append(Buffer.from('x')), false);
      assert.equal(await writer.abandon(true), null);
      assert.equal(store().usage().bytes, 0);
    });

    it('refuses a response that is announced as larger than half of the limit', () => {
      assert.equal(store().write(draft(store(), {}, { length: bytes(limit / 2 + 1) })), null);
      assert.equal(store().write(draft(store(), {}, { length: bytes(4 * 2 ** 30) })), null);
    });

    it('lets an evicted response be read by whoever has opened it', async () => {
      const body = store().open(await put(store(), 'hello'), bytes(0), bytes(5));
      await overfill(store(), 'x');
      await overfill(store(), 'y');
      assert.equal(await isStored(store(), key('/')), false);
      assert.equal((await readAll(body, bytes(5))).toString(), 'hello');
    });

    it('completes a part that was evicted meanwhile, or forgets it', async () => {
      const length = bytes(2048);
      const part = begin(store(), {}, { length });
      await part.append(kilobyte);
      const extend = (await part.abandon(true))!;
      const writer = begin(store(), {}, { from: bytes(1024), length, extend });
      await overfill(store(), 'x');
      await overfill(store(), 'y');
      await writer.append(kilobyte);
      const stored = await writer.commit(Fields.none);
      if (stored !== null) assert.equal(await read(store(), stored, 1000, 1100), 'k'.repeat(100));
      isWithin();
    });

    it('stays within its limit when freshening makes fields longer', async () => {
      const count = await overfill(store(), 'x');
      const long = metadata({ key: key(`/x/${count - 1}`), fields: Fields.of({ 'X-Long': 'f'.repeat(8192) }) });
      const freshened = await store().freshen(await only(store(), long.key), long, store().generation());
      assert.ok(freshened, 'no freshened');
      assert.equal(await read(store(), freshened), kilobyte.toString());
      isWithin();
    });

    it('stays within its limit with many variants of one key', async () => {
      for (let i = 0; i < 30; i++) {
        await put(store(), Buffer.alloc(20_000), { selecting: varying(`${i}`) });
        isWithin();
      }
      assert.equal((await store().lookUp(key('/')))[0]?.selecting.values[0], '29');
    });

    it('counts what it holds, and nothing once all is removed', async () => {
      for (let i = 0; i < 10; i++) await put(store(), 'x', { key: key(`/${i % 5}`), selecting: varying(`${i % 3}`) });
      assert.equal(store().usage().responses, 10);
      for (let i = 0; i < 5; i++) for (const one of await store().peek(key(`/${i}`))) await store().remove(one);
      assert.equal(store().usage().responses, 0);
      assert.equal(store().usage().bytes, 0);
      assert.equal(store().usage().evicted, 0);
    });
  });

  describe('largest document', () => {
    const store = useStore(createStore, { maxDocument: bytes(2048) });

    it('takes one that is just as large', async () => {
      assert.equal((await put(store(), Buffer.alloc(2048))).complete, true);
    });

    it('refuses one that is announced as larger', () => {
      assert.equal(store().write(draft(store(), {}, { length: bytes(2049) })), null);
    });

    it('gives up on one that turns out larger', async () => {
      const writer = begin(store());
      assert.equal(await writer.append(Buffer.alloc(2048)), true);
      assert.equal(await writer.append(Buffer.alloc(1)), false);
      assert.equal(await writer.commit(Fields.none), null);
    });
  });

  describe('variants under one key', () => {
    const store = useStore(createStore, { variants: 3 });
    const languages = async (): Promise<unknown[]> =>
      (await store().peek(key('/'))).map(({ selecting }) => selecting.values[0]);

    it('are no more than the given number', async () => {
      for (const language of ['a', 'b', 'c', 'd', 'e']) await put(store(), 'x', { selecting: varying(language) });
      assert.deepEqual(await languages(), ['e', 'd', 'c']);
      assert.equal(store().usage().evicted, 2);
    });

    it('are not dropped for one that replaces another', async () => {
      for (const language of ['a', 'b', 'c', 'b']) await put(store(), 'x', { selecting: varying(language) });
      assert.deepEqual(await languages(), ['b', 'c', 'a']);
    });

    it('are dropped by when they were last opened or stored', async () => {
      const first = await put(store(), 'x', { selecting: varying('a') });
      for (const language of ['b', 'c']) await put(store(), 'x', { selecting: varying(language) });
      await read(store(), first);
      await put(store(), 'x', { selecting: varying('d') });
      assert.deepEqual(await languages(), ['d', 'c', 'a']);
    });
  });

  describe('a limit of nothing', () => {
    const store = useStore(createStore, { limit: bytes(0) });

    it('stores nothing, and does nothing else', async () => {
      assert.equal(store().write(draft(store())), null);
      assert.equal(store().write(draft(store(), {}, { length: bytes(0) })), null);
      await store().invalidate(key('/'));
      assert.deepEqual(await store().lookUp(key('/')), []);
      assert.equal(store().usage().bytes, 0);
    });
  });

  describe('closing', () => {
    const store = useStore(createStore);

    it('leaves nothing to find and takes nothing more', async () => {
      const stored = await put(store(), 'hello');
      await store().close();
      assert.deepEqual(await store().lookUp(key('/')), []);
      assert.deepEqual(await store().peek(key('/')), []);
      assert.equal(store().write(draft(store())), null);
      assert.equal(await store().freshen(stored, metadata(), store().generation()), null);
      await store().remove(stored);
      await store().invalidate(key('/'));
    });

    it('can be done twice', async () => {
      await store().close();
      await store().close();
    });

    it('ends what is being written', async () => {
      const writer = begin(store());
      const whole = begin(store(), { key: key('/whole') });
      await whole.append(Buffer.from('hello'));
      await store().close();
      assert.equal(await writer.append(Buffer.from('hello')), false);
      assert.equal(await whole.commit(Fields.none), null);
      assert.deepEqual(await store().lookUp(key('/whole')), []);
      assert.equal(store().usage().bytes, 0);
    });
  });
}
