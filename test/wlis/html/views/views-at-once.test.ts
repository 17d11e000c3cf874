import assert from 'node:assert/strict';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { nextTurn } from '../../../../proxy/cache/next-turn.js';
import { gate } from '../../../support/gate.js';
import { ChunkedBody, navigation, page, ViewFixture, type OriginAnswer } from './view-fixture.js';

const inBrotli = brotliCompressSync(page);

describe('views that are being made at once', () => {
  it('are far fewer of pages in br, which take far more memory, and leave room for others', async () => {
    const site = new ViewFixture();
    const silent = gate();
    const slow = (): OriginAnswer => {
      const body = new ChunkedBody([inBrotli]);
      const read = body.read.bind(body);
      body.read = () => silent.promise.then(read);
      return { fields: { 'Cache-Control': 'no-store', 'Content-Encoding': 'br' }, body };
    };
    const ofBrotli = (): OriginAnswer => ({ ...slow(), body: inBrotli });
    site.origin = slow;
    const waiting = Array.from({ length: 12 }, () => site.ask(navigation));
    while (site.views.underWay < 12) await nextTurn();
    site.origin = ofBrotli;
    assert.deepEqual((await site.ask()).content, inBrotli, 'no room for one more');
    const fields = { 'Cache-Control': 'no-store', 'Content-Encoding': 'gzip' };
    site.origin = () => ({ fields, body: gzipSync(page) });
    assert.notDeepEqual((await site.ask()).content, gzipSync(page), 'one in gzip is made');
    silent.open();
    for (const { content } of await Promise.all(waiting)) assert.notDeepEqual(content, inBrotli);
    site.origin = ofBrotli;
    assert.notDeepEqual((await site.ask()).content, inBrotli, 'there is room again');
    assert.equal(site.views.underWay, 0);
  });
});
