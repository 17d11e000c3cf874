import assert from 'node:assert/strict';
import { brotliCompressSync, brotliDecompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { bytes } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { WillisError } from '../../../proxy/base/errors.js';
import { purgeGroup, purgeHost, purgePrefix, purgeUri } from '../../../proxy/cache/purge-selector.js';
import { MemoryStore } from '../../../proxy/cache/memory-store.js';
import { nextTurn } from '../../../proxy/cache/next-turn.js';
import type { ViewRecipe } from '../../../wlis/html/view-recipe.js';
import { received } from '../../replication/serving/held-example.js';
import { gate } from '../../support/gate.js';
import {
  ChunkedBody,
  navigation,
  page,
  pageUri,
  plainNavigation,
  recipeWith,
  ViewFixture,
} from './view-fixture.js';

const isView = (content: Buffer): boolean => content.includes('<willis-bar>');
const viewTag = /^"view-[A-Za-z0-9_-]{22}"$/;

describe('views of pages', () => {
  it('are made for navigations, with an entity-tag and a length of their own, for the one who asked alone', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { ETag: '"1"', 'Accept-Ranges': 'bytes', 'Repr-Digest': 'sha-256=:x=:' } });
    for (const fields of [navigation, plainNavigation]) {
      const { status, fields: got, content } = await site.ask(fields);
      assert.equal(status, 200);
      assert.ok(isView(content), 'the bar is in it');
      assert.ok(content.includes('rel="duplicate"'), 'the link is in it');
      assert.match(got['etag'] ?? '', viewTag);
      assert.equal(got['cache-control'], 'private, no-cache');
      assert.equal(got['content-type'], 'text/html');
      for (const name of ['accept-ranges', 'repr-digest', 'expires']) assert.equal(got[name], undefined);
    }
    const again = await site.ask();
    assert.equal(again.fields['content-length'], String(again.content.length));
    assert.equal(site.asked.length, 1);
  });

  it('are the page with what was put in, and nothing else', async () => {
    const site = new ViewFixture();
    const { content } = await site.ask();
    const text = content.toString();
    const without = text.replace('<willis-bar>one</willis-bar>', '').replace(/<link rel="duplicate"[^>]*>\n?/, '');
    assert.equal(without, page);
  });

  it('are made once for a stored version and a recipe, and then come out of the store', async () => {
    const site = new ViewFixture();
    const counting = countingRecipe();
    site.recipe = () => counting.recipe;
    const first = await site.ask();
    assert.equal(counting.made(), 1);
    const second = site.answer();
    assert.ok(!(second instanceof Promise), 'in the turn in which the original is there');
    assert.deepEqual((await received(second)).content, first.content);
    assert.equal(counting.made(), 1);
  });

  it('answer 304 to their own entity-tag, stored or not, and not to that of the original', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { ETag: '"1"', 'Last-Modified': 'Wed, 01 Jan 2025 00:00:00 GMT' } });
    const { fields } = await site.ask();
    const tag = fields['etag'] ?? '';
    const conditional = { ...navigation, 'If-None-Match': tag, 'If-Modified-Since': fields['last-modified'] ?? '' };
    const { status, fields: got, content } = await site.ask(conditional);
    assert.deepEqual([status, content.length, got['etag']], [304, 0, tag]);
    assert.equal(got['cache-control'], 'private, no-cache');
    await site.cache.purge(purgeUri(pageUri), 'hard');
    assert.equal((await site.ask(conditional)).status, 304, 'the original has come again, and is the same');
    for (const condition of [
      { 'If-None-Match': '"1"' },
      { 'If-Modified-Since': 'Wed, 01 Jan 2025 00:00:00 GMT' },
    ])
      assert.equal((await site.ask({ ...navigation, ...condition })).status, 200);
    assert.ok(
      site.asked.every(({ fields: sent }) => !sent.has('if-none-match')),
      'no origin server is asked about a view',
    );
  });

  it('change with the recipe, and with what the original says of itself', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { ETag: '"1"' } });
    const tags = new Set<string | undefined>();
    tags.add((await site.ask()).fields['etag']);
    site.recipe = () => recipeWith('two');
    const { content, fields } = await site.ask();
    assert.ok(content.includes('<willis-bar>two'), 'not what was stored before');
    tags.add(fields['etag']);
    for (const more of [
      { 'Content-Type': 'text/html; charset=iso-8859-1' },
      { 'Content-Security-Policy': "default-src 'none'" },
      { ETag: '"2"' },
    ]) {
      site.origin = () => ({ fields: { ETag: '"1"', ...more } });
      await site.cache.purge(purgeUri(pageUri), 'hard');
      tags.add((await site.ask()).fields['etag']);
    }
    assert.equal(tags.size, 5);
  });

  it('are made anew when a 304 brings the original a policy that forbids the bar', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { ETag: '"1"' } });
    assert.ok(isView((await site.ask()).content), 'allowed at first');
    site.clock.advance(61_000);
    site.origin = ({ fields }) => ({
      status: fields.has('if-none-match') ? 304 : 200,
      fields: { ETag: '"1"', 'Content-Security-Policy': "style-src 'self'" },
    });
    const { content } = await site.ask();
    assert.ok(!isView(content) && content.includes('rel="duplicate"'), 'without the bar, and not that of before');
  });

  it('of an original that was replaced are never used, even if its server says that it is the same', async () => {
    const site = new ViewFixture();
    const answers = ['first', 'other'];
    site.origin = () => ({ fields: { ETag: '"same"' }, body: page.replace('Welcome', answers[0] ?? '') });
    assert.ok((await site.ask()).content.includes('first'), 'the first');
    answers.shift();
    const { content } = await site.ask({ ...navigation, 'Cache-Control': 'no-cache', 'If-None-Match': '"x"' });
    assert.ok(content.includes('other'), 'a forced reload');
    assert.ok((await site.ask()).content.includes('other'), 'and from then on');
  });

  it('of an original that an unsafe request has touched are those of what it is now', async () => {
    const site = new ViewFixture();
    let text = 'before';
    site.origin = ({ method, fields }) =>
      method === 'POST'
        ? { status: 204, body: null }
        : fields.get('if-none-match') === `"${text}"`
          ? { status: 304 }
          : { fields: { ETag: `"${text}"` }, body: page.replace('Welcome', text) };
    await site.ask();
    text = 'after';
    await site.ask({}, { method: 'POST' });
    assert.ok((await site.ask()).content.includes('after'), 'not that of the store');
  });

  it('are purged with their pages, by URI, prefix, host and cache group', async () => {
    const selectors = [
      purgeUri(pageUri),
      purgePrefix('http://docs.example.org/man'),
      purgeHost('docs.example.org'),
      purgeGroup('http://docs.example.org/', 'manual'),
    ];
    for (const selector of selectors) {
      const site = new ViewFixture();
      site.origin = () => ({ fields: { 'Cache-Groups': '"manual"' } });
      await site.ask();
      assert.equal((await site.stored()).length, 1);
      await site.cache.purge(selector, 'hard');
      assert.deepEqual(await site.stored(), [], selector.kind);
    }
  });

  it('that are being made while their page is purged are not stored', async () => {
    const site = new ViewFixture();
    const purged = gate();
    site.origin = () => ({
      body: new ChunkedBody(
        (function* () {
          yield Buffer.from(page.padEnd(4096));
          yield Buffer.from(page);
        })(),
      ),
    });
    const response = await site.answer();
    await site.cache.purge(purgeUri(pageUri), 'hard');
    purged.open();
    assert.ok(isView((await received(response)).content), 'the one who asked gets it');
    assert.deepEqual(await site.stored(), []);
  });

  it('of one page are kept as few, those that were made last', async () => {
    const site = new ViewFixture();
    for (let i = 0; i < 20; i++) {
      site.recipe = () => recipeWith(String(i));
      await site.ask();
    }
    const stored = await site.stored();
    assert.ok(stored.length <= 4, `${stored.length}`);
    assert.ok((await site.ask()).content.includes('<willis-bar>19<'), 'the last one');
  });

  it('come in the coding of the page, which is undone and redone', async () => {
    const codings = {
      gzip: [gzipSync, gunzipSync],
      'x-gzip': [gzipSync, gunzipSync],
      br: [brotliCompressSync, brotliDecompressSync],
      deflate: [deflateSync, inflateSync],
      'deflate without envelope': [deflateRawSync, inflateSync],
      identity: [(content: Buffer) => content, (content: Buffer) => content],
    } as const;
    for (const [name, [code, decode]] of Object.entries(codings)) {
      const site = new ViewFixture();
      const coding = name.split(' ')[0] ?? '';
      site.origin = () => ({ fields: { 'Content-Encoding': coding }, body: code(Buffer.from(page)) });
      for (const time of ['made', 'stored']) {
        const { fields, content } = await site.ask();
        assert.equal(fields['content-encoding'], coding, `${name} ${time}`);
        assert.ok(isView(decode(content)), `${name} ${time}`);
      }
    }
  });

  it('ask for what they can undo', async () => {
    const site = new ViewFixture();
    const cases = [
      ['gzip, deflate, br, zstd', 'gzip, deflate, br'],
      ['zstd', 'identity'],
      ['*', 'identity'],
      ['br;q=0.5, zstd;q=0, *;q=0', 'br;q=0.5, zstd;q=0, *;q=0'],
      ['gzip', 'gzip'],
    ] as const;
    for (const [accepted, sent] of cases) {
      await site.cache.purge(purgeUri(pageUri), 'hard');
      await site.ask({ ...navigation, 'Accept-Encoding': accepted });
      assert.equal(site.asked.at(-1)?.fields.get('accept-encoding'), sent);
    }
  });

  it('are not made of what turns out to be no page, which is as it would be without them', async () => {
    const site = new ViewFixture();
    const others = [
      '<p>A piece of a page.</p>',
      '{"json": "that says it is HTML"}',
      '',
      Buffer.from(`\ufeff${page}`, 'utf16le'),
    ];
    for (const body of others) {
      site.origin = () => ({ body, fields: { ETag: '"1"', 'Accept-Ranges': 'bytes' } });
      await site.cache.purge(purgeUri(pageUri), 'hard');
      for (let i = 0; i < 2; i++) {
        const { fields, content } = await site.ask();
        assert.deepEqual(content, Buffer.from(body));
        assert.deepEqual([fields['etag'], fields['accept-ranges']], ['"1"', 'bytes']);
        assert.equal(fields['cache-control'], 'max-age=60');
      }
      const { status } = await site.ask({ ...navigation, 'If-None-Match': '"1"' });
      assert.equal(status, 304, 'its own conditions hold');
      assert.deepEqual(await site.stored(), []);
    }
    const again = site.answer();
    assert.ok(!(again instanceof Promise), 'nobody looks a second time');
  });

  it('are not made where a coding is not what it says from the beginning, and break visibly where it breaks later', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { 'Content-Encoding': 'gzip' }, body: page });
    assert.equal((await site.ask()).content.toString(), page, 'as it came');
    await site.cache.purge(purgeUri(pageUri), 'hard');
    const coded = gzipSync(Buffer.from(page + randomText(200_000)));
    site.origin = () => ({ fields: { 'Content-Encoding': 'gzip' }, body: coded.subarray(0, coded.length - 100) });
    await assert.rejects(site.ask(), { code: 'upstream-malformed' });
    assert.deepEqual(await site.stored(), []);
  });

  it('break as their page breaks, and are not stored', async () => {
    const site = new ViewFixture();
    site.origin = () => ({
      body: new ChunkedBody(
        (function* () {
          yield Buffer.from(page.padEnd(4096));
          throw new WillisError('upstream-incomplete', 'gone');
        })(),
      ),
    });
    await assert.rejects(site.ask(), { code: 'upstream-incomplete' });
    assert.deepEqual(await site.stored(), []);
    assert.equal(site.views.underWay, 0);
  });

  it('of what is not stored are streams, and not stored either', async () => {
    const site = new ViewFixture();
    for (const control of ['private', 'no-store', 'private, max-age=60']) {
      site.origin = () => ({ fields: { 'Cache-Control': control, ETag: '"1"' } });
      const { content, fields } = await site.ask();
      assert.ok(isView(content), control);
      assert.equal(fields['cache-control'], control === 'no-store' ? 'private, no-cache, no-store' : 'private, no-cache');
      assert.deepEqual(await site.stored(), [], control);
      const again = await site.ask({ ...navigation, 'If-None-Match': fields['etag'] ?? '' });
      assert.equal(again.status, 304, 'by a strong entity-tag of the original');
    }
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store', ETag: 'W/"1"' } });
    assert.equal((await site.ask()).fields['etag'], undefined, 'nothing tells one from the next');
  });

  it('that the store does not take reach those who asked all the same', async () => {
    const site = new ViewFixture({
      store: new MemoryStore({ limit: bytes(64_000_000), maxDocument: bytes(20_000), variants: 4 }),
    });
    const long = page + 'x'.repeat(50_000);
    site.origin = () => ({ body: long });
    for (let i = 0; i < 2; i++) assert.ok(isView((await site.ask()).content), 'made each time');
    assert.deepEqual(await site.stored(), []);
    assert.equal(site.views.underWay, 0);
  });

  it('are made once for many who ask at the same time, each of whom gets all of it', async () => {
    const site = new ViewFixture();
    const counting = countingRecipe();
    site.recipe = () => counting.recipe;
    const all = await Promise.all(Array.from({ length: 50 }, () => site.ask()));
    const [first] = all;
    assert.ok(all.every(({ content }) => content.equals(first?.content ?? Buffer.alloc(0))), 'the same');
    assert.ok(isView(first?.content ?? Buffer.alloc(0)), 'a view');
    assert.equal((await site.stored()).length, 1);
    assert.equal(counting.made(), 1);
  });

  it('are given up when the last one who waits goes away, with their page', async () => {
    const site = new ViewFixture();
    const endless = new ChunkedBody(
      (function* () {
        yield Buffer.from(page.padEnd(4096));
        for (;;) yield Buffer.alloc(65_536, 'x');
      })(),
    );
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store' }, body: endless });
    const { body } = await site.answer();
    await body?.read();
    body?.cancel();
    await nextTurn();
    assert.ok(endless.wasCancelled, 'the page');
    assert.equal(site.views.underWay, 0);
    assert.ok(endless.reads < 40, `${endless.reads} chunks were read for one that was taken`);
  });

  it('are not begun for one who goes away before their page has begun', async () => {
    const site = new ViewFixture();
    const silent = gate();
    const body = new ChunkedBody([]);
    body.read = async () => {
      await silent.promise;
      return null;
    };
    const cancelled = gate();
    body.cancel = () => {
      cancelled.open();
      silent.open();
    };
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store' }, body });
    const cancellation = new Cancellation();
    const answer = Promise.resolve(site.answer(navigation, { cancellation }));
    answer.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    cancellation.cancel(new WillisError('client-gone', 'gone'));
    await cancelled.promise;
    await assert.rejects(answer, { code: 'client-gone' });
    assert.equal(site.views.underWay, 0);
  });

  it('are not made where the recipe is null or empty, and a fault in making it costs no page', async () => {
    const site = new ViewFixture();
    const recipes = [
      () => null,
      () => ({ duplicates: [], bar: null, urls: null }),
      () => {
        throw new Error('a fault');
      },
    ];
    for (const recipe of recipes) {
      site.recipe = recipe;
      assert.equal((await site.ask()).content.toString(), page);
    }
  });
});

/** Tells how often a view was made by it of a page with one link. */
function countingRecipe(): { readonly recipe: ViewRecipe; readonly made: () => number } {
  let count = 0;
  const rewritten = (): null => {
    count++;
    return null;
  };
  return { recipe: { ...recipeWith('one'), urls: { key: 'counting', rewritten } }, made: () => count };
}

function randomText(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += ((i * 2654435761) >>> 0).toString(36);
  return text;
}
