import assert from 'node:assert/strict';
import { bytes } from '../../../../config/units.js';
import { Cancellation } from '../../../../proxy/base/cancellation.js';
import { WillisError } from '../../../../proxy/base/errors.js';
import { purgeGroup, purgeHost, purgePrefix, purgeUri } from '../../../../proxy/cache/purge-selector.js';
import { MemoryStore } from '../../../../proxy/cache/memory-store.js';
import { nextTurn } from '../../../../proxy/cache/next-turn.js';
import type { ViewRecipe } from '../../../../wlis/html/view-recipe.js';
import { received } from '../../../replication/serving/held-example.js';
import { gate } from '../../../support/gate.js';
import { ChunkedBody, navigation, page, pageUri, recipeWith, ViewFixture } from './view-fixture.js';

const isView = (content: Buffer): boolean => content.includes('<willis-bar>');

describe('views of pages, and what is kept of them,', () => {
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
      assert.equal(
        fields['cache-control'],
        control === 'no-store' ? 'private, no-cache, no-store' : 'private, no-cache',
      );
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
    assert.ok(
      all.every(({ content }) => content.equals(first?.content ?? Buffer.alloc(0))),
      'the same',
    );
    assert.ok(isView(first?.content ?? Buffer.alloc(0)), 'a view');
    assert.equal((await site.stored()).length, 1);
    assert.equal(counting.made(), 1);
  });

  it('are 128 at once at most: who comes then gets the original, and nobody waits for room', async () => {
    const site = new ViewFixture();
    const silent = gate();
    const slow = (): ChunkedBody => {
      const body = new ChunkedBody([Buffer.from(page)]);
      const read = body.read.bind(body);
      body.read = () => silent.promise.then(read);
      return body;
    };
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store' }, body: slow() });
    const waiting = Array.from({ length: 128 }, () => site.ask());
    while (site.views.underWay < 128) await nextTurn();
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store' } });
    assert.equal((await site.ask()).content.toString(), page);
    silent.open();
    assert.ok(
      (await Promise.all(waiting)).every(({ content }) => isView(content)),
      'the others are views',
    );
    assert.ok(isView((await site.ask()).content), 'and there is room again');
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
