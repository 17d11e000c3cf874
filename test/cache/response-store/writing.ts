import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { begin, key, metadata, only, put, read, useStore, varying, type CreateStore } from './samples.js';

/** Storing whole responses, finding and reading them. */
export function describeWriting(createStore: CreateStore): void {
  describe('storing and finding', () => {
    const store = useStore(createStore);

    it('finds nothing under a key that was never stored', async () => {
      assert.deepEqual(await store().lookUp(key('/')), []);
      assert.deepEqual(await store().peek(key('/')), []);
    });

    it('gives back metadata and bytes as they were written', async () => {
      const stored = await put(store(), 'hello', { status: 404, reason: 'Not Found', groups: ['g'] });
      const found = await only(store());
      assert.equal(found.id, stored.id);
      for (const [name, value] of Object.entries(metadata({ status: 404, reason: 'Not Found', groups: ['g'] }))) {
        assert.deepEqual(found[name as keyof typeof found], value, name);
      }
      assert.equal(await read(store(), found), 'hello');
    });

    it('states length, held bytes and completeness of a whole response', async () => {
      const stored = await put(store(), 'hello');
      assert.equal(stored.length, 5);
      assert.deepEqual(stored.held, [{ from: 0, to: 5 }]);
      assert.equal(stored.complete, true);
      assert.equal(stored.invalidated, false);
    });

    it('keeps keys of different scopes apart', async () => {
      await put(store(), 'forward');
      await put(store(), 'site', { key: key('/', 'site') });
      assert.equal(await read(store(), await only(store())), 'forward');
      assert.equal(await read(store(), await only(store(), key('/', 'site'))), 'site');
    });

    it('shows what is being written to nobody before it is committed', async () => {
      const writer = begin(store(), {}, { length: bytes(5) });
      await writer.append(Buffer.from('hello'));
      assert.deepEqual(await store().lookUp(key('/')), []);
      await writer.commit(Fields.none);
      await only(store());
    });

    it('shows the earlier response until a later one is committed', async () => {
      await put(store(), 'old');
      const writer = begin(store());
      await writer.append(Buffer.from('new'));
      assert.equal(await read(store(), await only(store())), 'old');
      await writer.commit(Fields.none);
      assert.equal(await read(store(), await only(store())), 'new');
    });

    it('takes a response of unknown length as complete where its transfer ends (RFC 9112 §8)', async () => {
      const writer = begin(store());
      await writer.append(Buffer.from('one '));
      await writer.append(Buffer.from('two'));
      const stored = await writer.commit(Fields.none);
      assert.equal(stored?.length, 7);
      assert.equal(stored.complete, true);
      assert.equal(await read(store(), stored), 'one two');
    });

    it('stores a response without content as complete', async () => {
      for (const length of [null, bytes(0)]) {
        const stored = await begin(store(), {}, { length }).commit(Fields.none);
        assert.equal(stored?.length, 0);
        assert.equal(stored.complete, true);
        assert.deepEqual(stored.held, []);
        assert.equal(await read(store(), await only(store())), '');
      }
    });

    it('keeps the trailer fields of a complete response and gives them at its end (RFC 9110 §6.5)', async () => {
      const writer = begin(store());
      await writer.append(Buffer.from('hello'));
      const stored = await writer.commit(Fields.of({ Digest: 'x' }));
      assert.ok(stored, 'no stored');
      assert.equal(stored.trailers.first('digest'), 'x');
      const body = store().open(stored, bytes(0), bytes(5));
      await readAll(body, bytes(5));
      assert.equal(body.trailers.first('digest'), 'x');
    });

    it('ignores empty chunks', async () => {
      const writer = begin(store(), {}, { length: bytes(2) });
      for (const chunk of ['', 'h', '', 'i', '']) assert.equal(await writer.append(Buffer.from(chunk)), true);
      const stored = await writer.commit(Fields.none);
      assert.ok(stored, 'no stored');
      assert.equal(await read(store(), stored), 'hi');
    });

    it('keeps a body that came in many small chunks', async () => {
      const writer = begin(store());
      const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(4000);
      for (let i = 0; i < text.length; i += 101) await writer.append(Buffer.from(text.slice(i, i + 101)));
      const stored = await writer.commit(Fields.none);
      assert.ok(stored, 'no stored');
      assert.equal(await read(store(), stored), text);
      assert.equal(await read(store(), stored, 65_530, 65_550), text.slice(65_530, 65_550));
    });

    it('keeps a body of chunks of every size', async () => {
      const sizes = [100_000, 1, 20_000, 16_384, 16_383, 70_000, 3, 40_000];
      const chunks = sizes.map((size, i) => Buffer.alloc(size, 97 + i));
      const writer = begin(store(), {}, { length: bytes(sizes.reduce((sum, size) => sum + size)) });
      for (const chunk of chunks) assert.equal(await writer.append(chunk), true);
      const stored = await writer.commit(Fields.none);
      assert.ok(stored, 'no stored');
      assert.equal(await read(store(), stored), Buffer.concat(chunks).toString());
      assert.equal(await read(store(), stored, 99_999, 100_002), 'abc');
    });

    it('ends a writer once: what follows is refused and changes nothing', async () => {
      const writer = begin(store());
      await writer.append(Buffer.from('hello'));
      await writer.commit(Fields.none);
      assert.equal(await writer.append(Buffer.from('more')), false);
      assert.equal(await writer.commit(Fields.none), null);
      assert.equal(await writer.abandon(true), null);
      assert.equal(await read(store(), await only(store())), 'hello');
    });

    it('names every version differently', async () => {
      const ids = new Set<string>();
      for (let i = 0; i < 50; i++) ids.add((await put(store(), 'x', { key: key(`/${i % 3}`) })).id);
      assert.equal(ids.size, 50);
    });
  });

  describe('variants (RFC 9111 §4.1)', () => {
    const store = useStore(createStore);

    it('replaces the response with the same selecting fields', async () => {
      await put(store(), 'old', { selecting: varying('en') });
      await put(store(), 'new', { selecting: varying('en') });
      assert.equal(await read(store(), await only(store())), 'new');
    });

    it('keeps responses with other values of the selecting fields', async () => {
      await put(store(), 'english', { selecting: varying('en') });
      await put(store(), 'none', { selecting: varying(null) });
      await put(store(), 'empty', { selecting: varying('') });
      assert.equal((await store().lookUp(key('/'))).length, 3);
    });

    it('keeps responses with other names of selecting fields', async () => {
      await put(store(), 'language', { selecting: varying('en') });
      await put(store(), 'both', { selecting: { names: ['accept', 'accept-language'], values: ['*', 'en'] } });
      await put(store(), 'encoding', { selecting: { names: ['accept-encoding'], values: ['en'] } });
      await put(store(), 'neither');
      assert.equal((await store().lookUp(key('/'))).length, 4);
    });

    it('gives the most recently stored response first', async () => {
      for (const language of ['en', 'de', 'fr', 'de']) await put(store(), language, { selecting: varying(language) });
      const found = await store().lookUp(key('/'));
      assert.deepEqual(
        found.map(({ selecting }) => selecting.values[0]),
        ['de', 'fr', 'en'],
      );
    });
  });

  describe('reading', () => {
    const store = useStore(createStore);

    it('gives any range of a stored response', async () => {
      const stored = await put(store(), '0123456789');
      for (let from = 0; from < 10; from++) {
        for (let to = from; to <= 10; to++) {
          assert.equal(await read(store(), stored, from, to), '0123456789'.slice(from, to));
        }
      }
    });

    it('gives the same bytes to several readers at once', async () => {
      const stored = await put(store(), 'hello');
      const bodies = [1, 2, 3].map(() => store().open(stored, bytes(0), bytes(5)));
      const texts = await Promise.all(bodies.map(async (body) => (await readAll(body, bytes(5))).toString()));
      assert.deepEqual(texts, ['hello', 'hello', 'hello']);
    });

    it('lets an opened response be read after it was replaced, removed or evicted', async () => {
      const stored = await put(store(), 'hello');
      const replaced = store().open(stored, bytes(0), bytes(5));
      const removed = store().open(await put(store(), 'world'), bytes(1), bytes(4));
      await store().remove(await only(store()));
      assert.equal((await readAll(replaced, bytes(5))).toString(), 'hello');
      assert.equal((await readAll(removed, bytes(5))).toString(), 'orl');
    });

    it('lets a reader give up', async () => {
      const stored = await put(store(), 'hello');
      const body = store().open(stored, bytes(0), bytes(5));
      body.cancel();
      body.cancel();
      assert.equal(await read(store(), stored), 'hello');
    });
  });

  describe('removing', () => {
    const store = useStore(createStore);

    it('forgets one response and keeps the other variants', async () => {
      await put(store(), 'english', { selecting: varying('en') });
      const german = await put(store(), 'german', { selecting: varying('de') });
      await store().remove(german);
      assert.deepEqual((await only(store())).selecting, varying('en'));
    });

    it('does nothing to the response that has taken the place of the one to be removed', async () => {
      const old = await put(store(), 'old');
      await put(store(), 'new');
      await store().remove(old);
      assert.equal(await read(store(), await only(store())), 'new');
    });

    it('leaves a response readable to those who had found it before', async () => {
      await put(store(), 'hello');
      const found = await only(store());
      await store().remove(found);
      assert.equal(await read(store(), found), 'hello');
    });

    it('leaves all responses under a key readable, to their ends, to those who had found them before', async () => {
      const content = (i: number): string => String.fromCharCode(97 + i).repeat(15_000);
      for (let i = 0; i < 12; i++) await put(store(), content(i), { selecting: varying(`${i}`) });
      const found = await store().lookUp(key('/'));
      assert.equal(found.length, 12);
      const slow = store().open(found[11]!, bytes(0), bytes(15_000));
      for (const one of found) await store().remove(one);
      for (const [i, one] of found.entries()) assert.equal(await read(store(), one, 0, 15_000), content(11 - i));
      assert.equal((await readAll(slow, bytes(15_000))).toString(), content(0));
      assert.deepEqual(await store().lookUp(key('/')), []);
    });

    it('removes what is not there without complaint', async () => {
      const stored = await put(store(), 'hello');
      await store().remove(stored);
      await store().remove(stored);
      assert.deepEqual(await store().lookUp(key('/')), []);
    });
  });
}
