import assert from 'node:assert/strict';
import { bytes, epochMs } from '../../../config/units.js';
import { originOfKey } from '../../../proxy/cache/cache-key.js';
import { Fields } from '../../../proxy/http/fields.js';
import {
  begin,
  draft,
  key,
  metadata,
  only,
  put,
  putPart,
  read,
  times,
  useStore,
  varying,
  type CreateStore,
} from './samples.js';

/** Freshening, invalidation, and the order between them and what is under way. */
export function describeInvalidation(createStore: CreateStore): void {
  const origin = originOfKey(key('/'));

  describe('the order of invalidations', () => {
    const store = useStore(createStore);

    it('tells of a key whether it was invalidated after a point, and nothing of others', async () => {
      const before = store().generation();
      await store().invalidate(key('/'));
      assert.equal(store().isInvalidatedAfter(key('/'), before), true);
      assert.equal(store().isInvalidatedAfter(key('/other'), before), false);
      assert.equal(store().isInvalidatedAfter(key('/'), store().generation()), false);
    });
  });

  describe('freshening (RFC 9111 §4.3.4)', () => {
    const store = useStore(createStore);
    const later = (): ReturnType<typeof metadata> =>
      metadata({ fields: Fields.of({ ETag: '"1"', 'X-New': '1' }), responseTime: epochMs(2_000_000) });

    it('puts new metadata in the place of the old, the bytes unchanged', async () => {
      const stored = await put(store(), 'hello');
      const freshened = await store().freshen(stored, later(), store().generation());
      assert.equal(freshened?.fields.first('x-new'), '1');
      assert.equal(freshened.responseTime, 2_000_000);
      const found = await only(store());
      assert.equal(found.id, freshened.id);
      assert.equal(found.complete, true);
      assert.equal(await read(store(), found), 'hello');
    });

    it('gives the freshened version a name of its own and leaves the old one as it was', async () => {
      const stored = await put(store(), 'hello');
      const freshened = await store().freshen(stored, later(), store().generation());
      assert.notEqual(freshened?.id, stored.id);
      assert.equal(stored.fields.has('x-new'), false);
    });

    it('keeps the trailer fields, and a part a part', async () => {
      const writer = begin(store());
      await writer.append(Buffer.from('hello'));
      const whole = await writer.commit(Fields.of({ Digest: 'x' }));
      const fresh = await store().freshen(whole!, later(), store().generation());
      assert.equal(fresh?.trailers.first('digest'), 'x');
      const part = await putPart(store(), '01', { length: bytes(10) }, { key: key('/part') });
      const freshened = await store().freshen(part!, { ...later(), key: key('/part') }, store().generation());
      assert.deepEqual(freshened?.held, [{ from: 0, to: 2 }]);
      assert.equal(freshened.complete, false);
    });

    it('gives nothing for a response that is gone', async () => {
      const stored = await put(store(), 'hello');
      await store().remove(stored);
      assert.equal(await store().freshen(stored, later(), store().generation()), null);
      assert.deepEqual(await store().lookUp(key('/')), []);
    });

    it('gives nothing for a response that was replaced, and leaves the one in its place alone', async () => {
      const stored = await put(store(), 'old');
      await put(store(), 'new');
      assert.equal(await store().freshen(stored, later(), store().generation()), null);
      assert.equal((await only(store())).fields.has('x-new'), false);
    });

    it('makes it the first of its key and leaves the other variants', async () => {
      const english = await put(store(), 'english', { selecting: varying('en') });
      await put(store(), 'german', { selecting: varying('de') });
      await store().freshen(english, { ...later(), selecting: varying('en') }, store().generation());
      const found = await store().lookUp(key('/'));
      assert.deepEqual(
        found.map(({ selecting }) => selecting.values[0]),
        ['en', 'de'],
      );
    });

    it('leaves one response where freshening gives two the same selecting fields', async () => {
      const english = await put(store(), 'english', { selecting: varying('en') });
      await put(store(), 'german', { selecting: varying('de') });
      await store().freshen(english, { ...later(), selecting: varying('de') }, store().generation());
      assert.equal(await read(store(), await only(store())), 'english');
    });

    it('can be done again to what came of it', async () => {
      let stored = await put(store(), 'hello');
      for (let i = 0; i < 5; i++) stored = (await store().freshen(stored, later(), store().generation()))!;
      assert.equal(await read(store(), await only(store())), 'hello');
      assert.equal(store().usage().responses, 1);
    });
  });

  describe('invalidation (RFC 9111 §4.4)', () => {
    const store = useStore(createStore);

    it('marks everything under a key, and nothing else', async () => {
      await put(store(), 'english', { selecting: varying('en') });
      await put(store(), 'german', { selecting: varying('de') });
      await put(store(), 'other', { key: key('/other') });
      await store().invalidate(key('/'));
      assert.deepEqual(
        (await store().lookUp(key('/'))).map(({ invalidated }) => invalidated),
        [true, true],
      );
      assert.equal((await only(store(), key('/other'))).invalidated, false);
    });

    it('keeps the bytes and the order of what it marks', async () => {
      await put(store(), 'english', { selecting: varying('en') });
      await put(store(), 'german', { selecting: varying('de') });
      await store().invalidate(key('/'));
      const [first, second] = await store().lookUp(key('/'));
      assert.equal(await read(store(), first!), 'german');
      assert.equal(await read(store(), second!), 'english');
    });

    it('does not change a response that somebody holds already', async () => {
      const stored = await put(store(), 'hello');
      await store().invalidate(key('/'));
      assert.equal(stored.invalidated, false);
    });

    it('does not mark what is requested afterwards', async () => {
      await store().invalidate(key('/'));
      assert.equal((await put(store(), 'hello')).invalidated, false);
    });

    it('marks what was requested before and is stored afterwards', async () => {
      const writer = begin(store());
      await store().invalidate(key('/'));
      await writer.append(Buffer.from('hello'));
      assert.equal((await writer.commit(Fields.none))?.invalidated, true);
    });

    it('marks what was requested before and begins to be written afterwards', async () => {
      const earlier = draft(store());
      await store().invalidate(key('/'));
      const writer = store().write(earlier)!;
      await writer.append(Buffer.from('hello'));
      assert.equal((await writer.commit(Fields.none))?.invalidated, true);
    });

    it('does not mark what is under way for other keys', async () => {
      const writer = begin(store());
      await store().invalidate(key('/other'));
      await writer.append(Buffer.from('hello'));
      assert.equal((await writer.commit(Fields.none))?.invalidated, false);
    });

    it('marks parts that are kept', async () => {
      const writer = begin(store(), {}, { length: bytes(10) });
      await writer.append(Buffer.from('0123'));
      await store().invalidate(key('/'));
      assert.equal((await writer.abandon(true))?.invalidated, true);
    });

    it('is cleared by freshening that was asked for afterwards (RFC 9111 §4.3.4)', async () => {
      await put(store(), 'hello');
      await store().invalidate(key('/'));
      const freshened = await store().freshen(await only(store()), metadata(), store().generation());
      assert.equal(freshened?.invalidated, false);
      assert.equal((await only(store())).invalidated, false);
    });

    it('is not cleared by freshening that was asked for before', async () => {
      const stored = await put(store(), 'hello');
      const generation = store().generation();
      await store().invalidate(key('/'));
      const freshened = await store().freshen(stored, metadata(), generation);
      assert.equal(freshened?.invalidated, true);
      assert.equal((await only(store())).invalidated, true);
    });

    it('lets a complete response be neither replaced nor cleared by a part', async () => {
      await put(store(), 'whole');
      await store().invalidate(key('/'));
      assert.equal(await putPart(store(), '01', { length: bytes(10) }), null);
      assert.equal((await only(store())).invalidated, true);
    });

    it('never takes an old answer as valid, however many invalidations came since', async () => {
      const earlier = draft(store());
      await store().invalidate(key('/'));
      await times(20_000, (i) => store().invalidate(key(`/another/${i}`)));
      const writer = store().write(earlier)!;
      await writer.append(Buffer.from('hello'));
      assert.equal((await writer.commit(Fields.none))?.invalidated, true);
      assert.equal((await put(store(), 'hello')).invalidated, false);
    });
  });

  describe('cache groups (RFC 9875)', () => {
    const store = useStore(createStore);

    it('marks all responses of the origin that belong to the group', async () => {
      await put(store(), 'a', { key: key('/a'), groups: ['scripts', 'all'] });
      await put(store(), 'b', { key: key('/b'), groups: ['all'] });
      await put(store(), 'c', { key: key('/c') });
      await store().invalidateGroup(origin, 'scripts');
      assert.equal((await only(store(), key('/a'))).invalidated, true);
      assert.equal((await only(store(), key('/b'))).invalidated, false);
      await store().invalidateGroup(origin, 'all');
      assert.equal((await only(store(), key('/b'))).invalidated, true);
      assert.equal((await only(store(), key('/c'))).invalidated, false);
    });

    it('marks only those variants of a key that belong to the group', async () => {
      await put(store(), 'english', { selecting: varying('en'), groups: ['g'] });
      await put(store(), 'german', { selecting: varying('de') });
      await store().invalidateGroup(origin, 'g');
      assert.deepEqual(
        (await store().lookUp(key('/'))).map(({ invalidated }) => invalidated),
        [false, true],
      );
    });

    it('compares names of groups case-sensitively (RFC 9875 §2)', async () => {
      await put(store(), 'a', { groups: ['Scripts'] });
      await store().invalidateGroup(origin, 'scripts');
      assert.equal((await only(store())).invalidated, false);
    });

    it('does not reach other origins or scopes', async () => {
      const elsewhere = 'http://other.example/a';
      await put(store(), 'a', { key: `|${elsewhere}` as never, groups: ['g'] });
      await put(store(), 'b', { key: key('/', 'site'), groups: ['g'] });
      await store().invalidateGroup(origin, 'g');
      assert.equal((await only(store(), `|${elsewhere}` as never)).invalidated, false);
      assert.equal((await only(store(), key('/', 'site'))).invalidated, false);
    });

    it('marks what was requested before and is stored afterwards', async () => {
      const writer = begin(store(), { groups: ['g'] });
      const other = begin(store(), { key: key('/other'), groups: ['h'] });
      await store().invalidateGroup(origin, 'g');
      for (const one of [writer, other]) await one.append(Buffer.from('x'));
      assert.equal((await writer.commit(Fields.none))?.invalidated, true);
      assert.equal((await other.commit(Fields.none))?.invalidated, false);
    });

    it('goes by the groups that freshening left it with', async () => {
      const stored = await put(store(), 'a', { groups: ['old'] });
      await store().freshen(stored, metadata({ groups: ['new'] }), store().generation());
      await store().invalidateGroup(origin, 'old');
      assert.equal((await only(store())).invalidated, false);
      await store().invalidateGroup(origin, 'new');
      assert.equal((await only(store())).invalidated, true);
    });

    it('takes no notice of a group that nothing belongs to', async () => {
      await put(store(), 'a', { groups: ['g'] });
      await store().remove(await only(store()));
      await store().invalidateGroup(origin, 'g');
      await store().invalidateGroup(origin, 'never');
      assert.deepEqual(await store().lookUp(key('/')), []);
    });
  });
}
