import assert from 'node:assert/strict';
import { answer } from '../../support/origin-scripts.js';
import { breakingAfter, longAgo, MirroredSite, serving } from './mirrored-site.js';

const text = 'The quick brown fox jumps over the lazy dog';
const long = Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvwxyz0123456789').toString();

describe('a mirror that the reader has chosen', () => {
  let site: MirroredSite;
  afterEach(() => site.stop());

  const dated = (content: string) => serving({ 'a.txt': { content, fields: { 'Last-Modified': longAgo } } });
  const down = answer(500);

  for (const trust of ['compared', 'full'] as const) {
    it(`answers alone, whatever the choice of the node would be (${trust})`, async () => {
      site = await MirroredSite.start(dated(text), [dated(text), dated(text)], { trust });
      site.chosen = site.urlOf(site.mirror(2));
      for (let i = 0; i < 3; i++) assert.equal((await site.get()).answeredBy?.url, site.chosen);
      assert.equal(site.mirror(1).requests.length, 0);
    });

    it(`has nobody who stands in for it (${trust})`, async () => {
      site = await MirroredSite.start(dated(text), [dated(text), down], { trust });
      site.chosen = site.urlOf(site.mirror(2));
      await assert.rejects(site.get(), { code: 'chosen-failed' });
      assert.equal(site.mirror(1).requests.length, 0);
    });

    it(`breaks visibly if it breaks off, and nobody goes on (${trust})`, async () => {
      site = await MirroredSite.start(dated(long), [dated(long), breakingAfter(10_000, dated(long))], { trust });
      site.chosen = site.urlOf(site.mirror(2));
      await assert.rejects(site.get());
      assert.equal(site.mirror(1).requests.length, 0);
      assert.deepEqual(site.original.requests.filter(({ method }) => method === 'GET').length, 0);
    });
  }

  it('has to have what the original has: another version is no answer', async () => {
    site = await MirroredSite.start(dated(text), [dated('Something else, of another length')]);
    site.chosen = site.urlOf(site.mirror(1));
    await assert.rejects(site.get(), { code: 'chosen-failed' });
  });

  it('may be the original itself, for which no mirror stands in either', async () => {
    site = await MirroredSite.start(dated(text), [dated(text)]);
    site.chosen = 'primary';
    assert.equal((await site.get()).answeredBy?.role, 'primary');
    assert.equal(site.mirror(1).requests.length, 0);
    await site.stop();
    site = await MirroredSite.start(down, [dated(text)], { trust: 'full' });
    site.chosen = 'primary';
    assert.equal((await site.get()).status, 500);
    assert.equal(site.mirror(1).requests.length, 0);
  });

  it('may hear from the original that something is not there, or has not changed', async () => {
    site = await MirroredSite.start(dated(text), [dated(text)]);
    site.chosen = site.urlOf(site.mirror(1));
    assert.equal((await site.get('none.txt')).status, 404);
    assert.equal((await site.ask('a.txt', {}, 'HEAD')).status, 200);
  });
});
