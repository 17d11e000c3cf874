import assert from 'node:assert/strict';
import {
  brotliCompressSync,
  constants,
  brotliDecompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import { purgeUri } from '../../../../proxy/cache/purge-selector.js';
import { navigation, page, pageUri, plainNavigation, recipeWith, ViewFixture } from './view-fixture.js';

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
    for (const condition of [{ 'If-None-Match': '"1"' }, { 'If-Modified-Since': 'Wed, 01 Jan 2025 00:00:00 GMT' }])
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

  it('have no bar where a policy forbids it, be it one of which the site only wants to be told', async () => {
    for (const name of ['Content-Security-Policy', 'Content-Security-Policy-Report-Only']) {
      const site = new ViewFixture();
      site.origin = () => ({ fields: { [name]: "default-src 'self'" } });
      const { content } = await site.ask();
      assert.ok(!isView(content) && content.includes('rel="duplicate"'), name);
    }
  });

  it('are counted by where they came from, and pages that stay as they are by why', async () => {
    const site = new ViewFixture();
    const [{ fields }] = await Promise.all([site.ask(), site.ask()]);
    await site.ask();
    await site.cache.purge(purgeUri(pageUri), 'hard');
    await site.ask();
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store', ETag: '"1"' } });
    const tag = (await site.ask({ ...navigation, 'Cache-Control': 'no-cache' })).fields['etag'] ?? '';
    assert.equal((await site.ask({ ...navigation, 'If-None-Match': tag, 'Cache-Control': 'no-cache' })).status, 304);
    assert.notEqual(tag, fields['etag']);
    site.origin = () => ({ body: '<p>A piece.</p>' });
    for (let i = 0; i < 2; i++) await site.ask({ ...navigation, 'Cache-Control': 'no-cache' });
    const counted = (of: typeof site.views.counts.views): Record<string, number> =>
      Object.fromEntries([...of.entries()].map(([[label], { value }]) => [String(label), value]));
    assert.deepEqual(counted(site.views.counts.views), { made: 3, joined: 1, store: 1, client: 1 });
    assert.deepEqual(counted(site.views.counts.originals), { fragment: 2 });
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
    const begun = deflateRawSync(page + randomText(200_000), { finishFlush: constants.Z_SYNC_FLUSH });
    // there is no block of the third type
    const body = Buffer.concat([gzipSync('').subarray(0, 10), begun, Buffer.from([0xff])]);
    site.origin = () => ({ fields: { 'Content-Encoding': 'gzip' }, body });
    await assert.rejects(site.ask(), { code: 'upstream-malformed' });
    assert.deepEqual(await site.stored(), []);
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

function randomText(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += ((i * 2654435761) >>> 0).toString(36);
  return text;
}
