import assert from 'node:assert/strict';
import { outcomeOf, startWillis, type Willis } from '../support/willis.js';

/** Does as nginx does with gzip on: one document, weak tag when compressed, conditions judged before. */
describe('an origin server that compresses on the fly', () => {
  let willis: Willis;
  beforeEach(async () => {
    willis = await startWillis();
    willis.serve((request, response) => {
      const base = { 'Cache-Control': 'max-age=60', Vary: 'Accept-Encoding' };
      if (request.headers['if-none-match']?.includes('"a"') === true) {
        response.writeHead(304, { ...base, ETag: '"a"' }).end();
        return;
      }
      const gzip = request.headers['accept-encoding'] === 'gzip';
      const fields = gzip ? { ETag: 'W/"a"', 'Content-Encoding': 'gzip' } : { ETag: '"a"' };
      response.writeHead(200, { ...base, ...fields }).end(gzip ? 'zipped' : 'plain');
    });
  });
  afterEach(() => willis.stop());

  const get = (coding: string): ReturnType<Willis['get']> => willis.get('/', { 'Accept-Encoding': coding });

  it('each coding is stored, and hit, whichever was asked for first (RFC 9111 §4.1)', async () => {
    assert.equal((await get('identity')).body.toString(), 'plain');
    assert.equal((await get('gzip')).body.toString(), 'zipped');
    for (const [coding, content] of [
      ['gzip', 'zipped'],
      ['identity', 'plain'],
    ] as const) {
      const again = await get(coding);
      assert.equal(again.body.toString(), content);
      assert.equal(outcomeOf(again), 'hit');
    }
  });

  it('what a 304 confirms but may not freshen is fetched anew once, and then fresh again (RFC 9111 §4.3.4)', async () => {
    await get('gzip');
    willis.clock.advance(61_000);
    const confirmed = await get('gzip');
    assert.equal(confirmed.body.toString(), 'zipped');
    await get('gzip');
    assert.equal(outcomeOf(await get('gzip')), 'hit');
    assert.equal(willis.origin.count('/'), 3);
  });
});
