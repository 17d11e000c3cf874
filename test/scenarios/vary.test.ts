import assert from 'node:assert/strict';
import { answer, type ScriptedFields } from '../support/origin-scripts.js';
import type { OriginHandler } from '../support/scripted-origin.js';
import { outcomeOf, startWillis, type Willis } from '../support/willis.js';

/** Answers with what it was asked for. */
const echo =
  (name: string, fields: ScriptedFields): OriginHandler =>
  (request, response, index) =>
    answer(200, { 'Cache-Control': 'max-age=60', ...fields }, `${String(request.headers[name])} ${index}`)(
      request,
      response,
      index,
    );

describe('Vary', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  it('keeps apart what differs in a nominated field, and only that (RFC 9111 §4.1)', async () => {
    willis.serve(echo('x-kind', { Vary: 'X-Kind' }));
    assert.equal((await willis.get('/a', { 'X-Kind': 'one', 'X-Other': '1' })).body.toString(), 'one 0');
    const two = await willis.get('/a', { 'X-Kind': 'two' });
    assert.equal(two.body.toString(), 'two 1');
    assert.equal(outcomeOf(two), 'vary-miss');
    assert.equal((await willis.get('/a', { 'X-Kind': 'one', 'X-Other': '2' })).body.toString(), 'one 0');
    assert.equal((await willis.get('/a', { 'X-Kind': 'two' })).body.toString(), 'two 1');
    assert.equal((await willis.get('/a')).body.toString(), 'undefined 2');
    assert.equal(willis.origin.count(), 3);
  });

  it('over several lines and in any case and order is one set of names (RFC 9110 §12.5.5)', async () => {
    willis.serve(echo('x-b', { Vary: ['x-A , ,X-B', 'X-b'] }));
    await willis.get('/a', { 'X-A': '1', 'X-B': '2' });
    assert.equal(outcomeOf(await willis.get('/a', { 'X-B': '2', 'X-A': '1' })), 'hit');
    assert.equal(outcomeOf(await willis.get('/a', { 'X-A': '1', 'X-B': '3' })), 'vary-miss');
  });

  for (const vary of ['*', ['X-A', '*'], 'X-A, *'] as const) {
    it(`${JSON.stringify(vary)} matches no later request (RFC 9111 §4.1)`, async () => {
      willis.serve(echo('x-a', { Vary: vary }));
      await willis.get('/a', { 'X-A': '1' });
      assert.equal(outcomeOf(await willis.get('/a', { 'X-A': '1' })), 'uri-miss');
      assert.equal(willis.origin.count(), 2);
    });
  }

  it('on Accept-Encoding does not multiply variants by spelling (RFC 9111 §4.1)', async () => {
    willis.serve(echo('accept-encoding', { Vary: 'Accept-Encoding' }));
    await willis.get('/a', { 'Accept-Encoding': 'gzip, br' });
    assert.equal(outcomeOf(await willis.get('/a', { 'Accept-Encoding': 'br,gzip' })), 'hit');
    assert.equal(outcomeOf(await willis.get('/a', { 'Accept-Encoding': 'identity' })), 'vary-miss');
  });

  it('a request that selects no variant is validated with the tags of all, and uses the one that a 304 names (RFC 9111 §4.1, §4.3.1)', async () => {
    const control = { Vary: 'X-Kind' };
    willis.serve(echo('x-kind', { ...control, ETag: '"1"' }));
    await willis.get('/a', { 'X-Kind': 'one' });
    willis.serve(echo('x-kind', { ...control, ETag: '"2"' }));
    await willis.get('/a', { 'X-Kind': 'two' });
    assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
    willis.serve(answer(304, { ...control, ETag: '"1"', 'Cache-Control': 'max-age=60' }));
    const three = await willis.get('/a', { 'X-Kind': 'three' });
    const sent = (willis.origin.last.headers['if-none-match'] ?? '').split(', ').sort();
    assert.deepEqual(sent, ['"1"', '"2"']);
    assert.equal(three.status, 200);
    assert.equal(three.body.toString(), 'one 0');
  });

  it('on a field that the client kept from the origin server by Connection is not stored (RFC 9111 §4.1, RFC 9110 §7.6.1)', async () => {
    willis.serve(echo('x-kind', { Vary: 'X-Kind' }));
    const hidden = await willis.get('/a', { 'X-Kind': 'two', Connection: 'X-Kind' });
    assert.equal(hidden.body.toString(), 'undefined 0');
    assert.equal((await willis.get('/a', { 'X-Kind': 'two' })).body.toString(), 'two 1');
  });

  it('keeps no more variants of one URI than the operator allows', async () => {
    await willis.stop();
    willis = await startWillis({ config: { cache: { variants: 2 } } });
    willis.serve(echo('x-kind', { Vary: 'X-Kind' }));
    for (const kind of ['one', 'two', 'three']) await willis.get('/a', { 'X-Kind': kind });
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'three' })), 'hit');
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'two' })), 'hit');
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'one' })), 'vary-miss');
  });
});
