import assert from 'node:assert/strict';
import { bytes, epochMs } from '../../../config/units.js';
import { keyOfUri, type CacheKey, type Scope } from '../../../proxy/cache/cache-key.js';
import { isFresh, remainingLifetime } from '../../../proxy/cache/freshness.js';
import type { PurgeMode, PurgeSelector } from '../../../proxy/cache/purge.js';
import type { ResponseStore } from '../../../proxy/cache/response-store.js';
import type { StoredResponse } from '../../../proxy/cache/stored-response.js';
import { Fields } from '../../../proxy/http/fields.js';
import {
  begin,
  draft,
  isStored,
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

/** Twenty seconds after the samples were received, which are fresh for a minute. */
const now = epochMs(1_020_050);
const modes: readonly PurgeMode[] = ['soft', 'hard'];

const uri = (path: string): PurgeSelector => ({ kind: 'uri', uris: [`http://example.com${path}`] });
const prefix = (path: string): PurgeSelector => ({ kind: 'prefix', prefixes: [`http://example.com${path}`] });
const host = (name: string, origins: readonly string[] | null = null): PurgeSelector => ({
  kind: 'host',
  host: name,
  origins,
});
const group = (name: string, origin = 'http://example.com'): PurgeSelector => ({
  kind: 'group',
  origins: [origin],
  group: name,
});

const under = (whole: string, scope: Scope = ''): CacheKey => keyOfUri(whole, scope);
const isPurged = ({ freshness }: StoredResponse): boolean => freshness.lifetimeSource === 'purged';

/** What became of the response under a key: 'fresh' as it was stored, 'ended' by a soft purge, or 'gone'. */
async function fate(store: ResponseStore, one: CacheKey): Promise<'fresh' | 'ended' | 'gone'> {
  const found = await store.peek(one);
  if (found.length === 0) return 'gone';
  assert.equal(found.length, 1);
  if (!isPurged(found[0]!)) return 'fresh';
  assert.equal(isFresh(found[0]!.freshness, now), false);
  return 'ended';
}

const purgedFate = { soft: 'ended', hard: 'gone' } as const;

/** Purges, and what of what is under way they concern. */
export function describePurging(createStore: CreateStore): void {
  describe('what a purge is about', () => {
    const store = useStore(createStore);

    for (const mode of modes) {
      /** Stores something under each URI in both scopes, purges, and compares: those of `concerned` and no others. */
      const expectPurged = async (
        uris: Readonly<Record<string, boolean>>,
        selector: PurgeSelector,
        groups: readonly string[] = [],
      ): Promise<void> => {
        const keys = Object.keys(uris).flatMap((one) => [under(one), under(one, 'site')]);
        for (const one of keys) await put(store(), 'x', { key: one, groups });
        const concerned = Object.values(uris).filter((is) => is).length * 2;
        assert.equal(await store().purge(selector, mode, now), concerned);
        const expected = Object.entries(uris).flatMap(([one, is]) => [
          [under(one), is ? purgedFate[mode] : 'fresh'],
          [under(one, 'site'), is ? purgedFate[mode] : 'fresh'],
        ]);
        assert.deepEqual(await Promise.all(keys.map(async (one) => [one, await fate(store(), one)])), expected);
      };

      it(`${mode}: one URI in every scope, and no other URI`, () =>
        expectPurged(
          {
            'http://example.com/a': true,
            'https://example.com/a': false,
            'http://example.com/a?q': false,
            'http://example.com/a/': false,
            'http://example.com/': false,
            'http://other.example/http://example.com/a': false,
            'http://other.example/|http://example.com/a': false,
          },
          uri('/a'),
        ));

      it(`${mode}: several URIs`, () =>
        expectPurged(
          { 'http://example.com/a': true, 'https://example.com/a': true, 'http://example.com/b': false },
          { kind: 'uri', uris: ['http://example.com/a', 'https://example.com/a'] },
        ));

      it(`${mode}: what begins with a prefix`, () =>
        expectPurged(
          {
            'http://example.com/static/a': true,
            'http://example.com/static/': true,
            'http://example.com/static': false,
            'https://example.com/static/a': false,
            'http://example.com:8080/static/a': false,
            'http://other.example/http://example.com/static/a': false,
          },
          prefix('/static/'),
        ));

      it(`${mode}: a host on every port`, () =>
        expectPurged(
          {
            'http://example.com/': true,
            'https://example.com/a': true,
            'http://example.com:8080/a': true,
            'http://example.com.other/': false,
            'http://www.example.com/': false,
            'http://other.example/example.com/': false,
          },
          host('example.com'),
        ));

      it(`${mode}: a host on one port`, () =>
        expectPurged(
          {
            'http://example.com/': false,
            'http://example.com:8080/a': true,
            'https://example.com:8080/': true,
            'http://example.com:80801/': false,
          },
          host('example.com', ['http://example.com:8080', 'https://example.com:8080']),
        ));

      it(`${mode}: an address as host`, () =>
        expectPurged({ 'http://[::1]/': true, 'http://[::1]:8080/': true, 'http://[::11]/': false }, host('[::1]')));

      it(`${mode}: a cache group of an origin (RFC 9875 §2)`, async () => {
        await put(store(), 'x', { key: key('/none') });
        await put(store(), 'x', { key: key('/other'), groups: ['h'] });
        await expectPurged(
          { 'http://example.com/a': true, 'http://example.com/b': true, 'https://example.com/a': false },
          group('g'),
          ['g', 'h'],
        );
        assert.equal(await fate(store(), key('/none')), 'fresh');
        assert.equal(await fate(store(), key('/other')), 'fresh');
      });

      it(`${mode}: all variants and parts under a key, each counted`, async () => {
        await put(store(), 'english', { selecting: varying('en') });
        await put(store(), 'german', { selecting: varying('de') });
        await putPart(store(), '01', { length: bytes(10) }, { selecting: varying('fr') });
        assert.equal(await store().purge(uri('/'), mode, now), 3);
        const found = await store().peek(key('/'));
        assert.deepEqual(found.map(isPurged), mode === 'soft' ? [true, true, true] : []);
      });

      it(`${mode}: only those variants under a key that belong to a group`, async () => {
        await put(store(), 'english', { selecting: varying('en'), groups: ['g'] });
        await put(store(), 'german', { selecting: varying('de') });
        assert.equal(await store().purge(group('g'), mode, now), 1);
        const found = await store().peek(key('/'));
        assert.deepEqual(found.map(isPurged), mode === 'soft' ? [false, true] : [false]);
      });

      it(`${mode}: nothing, where nothing is stored`, async () => {
        for (const selector of [uri('/'), prefix('/'), host('example.com'), group('g')]) {
          assert.equal(await store().purge(selector, mode, now), 0);
        }
      });
    }

    it('goes through many keys while they change, and misses none of those that stood there before', async () => {
      const count = 20_000;
      await times(count, (i) => put(store(), '', { key: key(`/old/${i}`) }));
      const purge = store().purge(prefix('/old/'), 'hard', now);
      const progress = { done: false };
      void purge.then(() => (progress.done = true));
      let turns = 0;
      for (; !progress.done; turns++) {
        await put(store(), '', { key: key(`/old/new${turns}`) });
        for (let i = 0; i < 100; i++) await store().lookUp(key(`/old/${(turns * 37 + i * 101) % count}`));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(turns > 5, 'other work is done meanwhile');
      assert.equal(await purge, count);
      assert.equal(store().usage().responses, turns);
    });

    it('does several purges at once', async () => {
      await times(5000, (i) => put(store(), '', { key: key(`/${i % 5}/${i}`) }));
      const counts = await Promise.all([
        store().purge(prefix('/0/'), 'hard', now),
        store().purge(prefix('/1/'), 'soft', now),
        store().purge(host('example.com'), 'hard', now),
        store().purge(prefix('/2/'), 'hard', now),
      ]);
      assert.deepEqual(counts, [1000, 1000, 4000, 0]);
      assert.equal(store().usage().responses, 0);
    });
  });

  describe('a soft purge', () => {
    const store = useStore(createStore);

    it('ends the lifetime at that moment, from when staleness counts', async () => {
      await put(store(), 'hello');
      await store().purge(uri('/'), 'soft', now);
      const { freshness, invalidated } = await only(store());
      assert.equal(remainingLifetime(freshness, now), 0);
      assert.equal(remainingLifetime(freshness, epochMs(now + 7000)), -7);
      assert.equal(invalidated, false);
    });

    it('leaves what was stale already as stale as it was', async () => {
      await put(store(), 'hello');
      await store().purge(uri('/'), 'soft', epochMs(1_000_050 + 90_000));
      assert.equal(remainingLifetime((await only(store())).freshness, epochMs(1_000_050 + 100_000)), -40);
    });

    it('is not undone by a clock that is set back', async () => {
      await put(store(), 'hello');
      await store().purge(uri('/'), 'soft', now);
      assert.equal(isFresh((await only(store())).freshness, epochMs(1_000_050)), false);
    });

    it('keeps bytes, fields, order, groups and invalidation, and the size of the store', async () => {
      await put(store(), 'english', { selecting: varying('en') });
      await put(store(), 'german', { selecting: varying('de'), groups: ['g'] });
      await store().invalidateGroup('|http://example.com', 'g');
      const usage = store().usage();
      await store().purge(uri('/'), 'soft', now);
      const [german, english] = await store().lookUp(key('/'));
      assert.equal(await read(store(), german!), 'german');
      assert.equal(await read(store(), english!), 'english');
      assert.deepEqual([german!.invalidated, english!.invalidated], [true, false]);
      assert.equal(english!.fields.first('etag'), '"1"');
      assert.deepEqual(store().usage(), usage);
      assert.equal(await store().purge(group('g'), 'hard', now), 1);
    });

    it('does not change a response that somebody holds already', async () => {
      const stored = await put(store(), 'hello');
      await store().purge(uri('/'), 'soft', now);
      assert.equal(isPurged(stored), false);
    });

    it('is cleared by freshening that was asked for afterwards (RFC 9111 §4.3.4)', async () => {
      await put(store(), 'hello');
      await store().purge(uri('/'), 'soft', now);
      const freshened = await store().freshen(await only(store()), metadata(), store().generation());
      assert.equal(freshened !== null && isPurged(freshened), false);
      assert.equal(await fate(store(), key('/')), 'fresh');
    });

    it('is not cleared by freshening that was asked for before', async () => {
      const stored = await put(store(), 'hello');
      const generation = store().generation();
      await store().purge(uri('/'), 'soft', now);
      assert.notEqual(await store().freshen(stored, metadata(), generation), null);
      assert.equal(await fate(store(), key('/')), 'ended');
    });
  });

  describe('a hard purge', () => {
    const store = useStore(createStore);

    it('frees what it forgets', async () => {
      for (let i = 0; i < 10; i++) await put(store(), 'x'.repeat(1000), { key: key(`/${i}`), groups: ['g'] });
      await store().purge(host('example.com'), 'hard', now);
      assert.deepEqual([store().usage().bytes, store().usage().responses, store().usage().evicted], [0, 0, 0]);
      await store().invalidateGroup('|http://example.com', 'g');
    });

    it('leaves a response readable to those who had found it before', async () => {
      const stored = await put(store(), 'hello');
      await store().purge(uri('/'), 'hard', now);
      assert.equal(await read(store(), stored), 'hello');
    });

    it('lets a purged response be neither freshened nor added to', async () => {
      const part = await putPart(store(), '0123', { length: bytes(10) });
      await store().purge(uri('/'), 'hard', now);
      assert.equal(await store().freshen(part!, metadata(), store().generation()), null);
      const writer = begin(store(), {}, { from: bytes(4), length: bytes(10), extend: part! });
      await writer.append(Buffer.from('456789'));
      await writer.commit(Fields.none);
      assert.deepEqual((await only(store())).held, [{ from: 4, to: 10 }]);
    });

    it('lets nothing be kept of what a walk has not come to yet', async () => {
      await times(10_000, (i) => put(store(), '', { key: key(`/a/${i}`) }));
      const last = await put(store(), 'old', { key: key('/last') });
      const part = await putPart(store(), '0123', { length: bytes(10) }, { key: key('/part') });
      const purge = store().purge(host('example.com'), 'hard', now);
      assert.equal(await store().freshen(last, metadata({ key: key('/last') }), store().generation()), null);
      const writer = begin(store(), { key: key('/part') }, { from: bytes(4), length: bytes(10), extend: part! });
      await writer.append(Buffer.from('456789'));
      await writer.commit(Fields.none);
      await purge;
      assert.equal(await isStored(store(), key('/last')), false);
      assert.deepEqual((await only(store(), key('/part'))).held, [{ from: 4, to: 10 }]);
    });
  });

  describe('what is under way when a purge happens', () => {
    const store = useStore(createStore);
    const selectors = {
      'its URI': uri('/a/b'),
      'a prefix of it': prefix('/a/'),
      'its host': host('example.com'),
      'its origin': host('example.com', ['http://example.com']),
      'its group': group('g'),
    };
    const others = {
      'another URI': uri('/a'),
      'another prefix': prefix('/b/'),
      'another host': host('example.org'),
      'another port': host('example.com', ['http://example.com:8080']),
      'another group': group('h'),
      'the same group elsewhere': group('g', 'https://example.com'),
    };
    const place = { key: key('/a/b'), groups: ['g'] };

    for (const mode of modes) {
      for (const [name, selector] of Object.entries(selectors)) {
        it(`${mode}, of ${name}: is purged when it is stored`, async () => {
          const writer = begin(store(), place);
          const earlier = draft(store(), { ...place, selecting: varying('en') });
          assert.equal(await store().purge(selector, mode, now), 0);
          await writer.append(Buffer.from('x'));
          const stored = await writer.commit(Fields.none);
          const later = store().write(earlier)!;
          await later.append(Buffer.from('x'));
          const variant = await later.commit(Fields.none);
          if (mode === 'hard') assert.deepEqual([stored, variant, store().usage().bytes], [null, null, 0]);
          else assert.deepEqual([stored, variant].map(isPurgedOrMissing), [true, true]);
        });

        it(`${mode}, of ${name}: what is requested afterwards is not purged`, async () => {
          await store().purge(selector, mode, now);
          assert.equal(isPurged(await put(store(), 'x', place)), false);
        });
      }

      for (const [name, selector] of Object.entries(others)) {
        it(`${mode}, of ${name}: is not purged`, async () => {
          const writer = begin(store(), place);
          await store().purge(selector, mode, now);
          await writer.append(Buffer.from('x'));
          assert.equal(isPurgedOrMissing(await writer.commit(Fields.none)), false);
        });
      }

      it(`${mode}: a part that is kept is purged`, async () => {
        const writer = begin(store(), {}, { length: bytes(10) });
        await writer.append(Buffer.from('0123'));
        await store().purge(uri('/'), mode, now);
        const kept = await writer.abandon(true);
        assert.equal(kept === null ? 'gone' : isPurged(kept), mode === 'hard' ? 'gone' : true);
      });

      it(`${mode}: never is an old answer taken as good, however many purges came since`, async () => {
        const earlier = draft(store(), place);
        const before = store().generation();
        for (const selector of [uri('/a/b'), prefix('/a/b')]) await store().purge(selector, mode, now);
        await times(6000, (i) => store().purge(uri(`/another/${i}`), mode, now));
        await times(1000, (i) => store().purge(prefix(`/another/${i}`), mode, now));
        assert.equal(store().isInvalidatedAfter(key('/a/b'), before), true);
        const writer = store().write(earlier)!;
        await writer.append(Buffer.from('x'));
        assert.equal(isPurgedOrMissing(await writer.commit(Fields.none)), true);
        assert.equal(isPurged(await put(store(), 'x', place)), false);
      });

      it(`${mode}: counts as an invalidation for who asks about a key`, async () => {
        const before = store().generation();
        await store().purge(prefix('/a/'), mode, now);
        assert.equal(store().isInvalidatedAfter(key('/a/b'), before), true);
        assert.equal(store().isInvalidatedAfter(key('/b'), before), false);
        assert.equal(store().isInvalidatedAfter(key('/a/b'), store().generation()), false);
      });
    }

    it('both invalidated and purged softly it is both', async () => {
      const writer = begin(store());
      await store().invalidate(key('/'));
      await store().purge(uri('/'), 'soft', now);
      await writer.append(Buffer.from('x'));
      const stored = await writer.commit(Fields.none);
      assert.deepEqual([stored?.invalidated, stored && isPurged(stored)], [true, true]);
    });
  });
}

/** Whether a purge kept it from the store, or it stands there as purged. */
const isPurgedOrMissing = (stored: StoredResponse | null): boolean => stored === null || isPurged(stored);
