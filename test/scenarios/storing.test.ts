import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { answer, answerBrokenOff, answerInPieces, inTurn } from '../support/origin-scripts.js';
import { startOrigin } from '../support/scripted-origin.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=60' };

describe('storing responses', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  /** Asks twice; tells whether the second client was answered without the origin server. */
  const storedAfter = async (first: Record<string, string> = {}, path = '/a'): Promise<boolean> => {
    await willis.get(path, first);
    const before = willis.origin.count();
    await willis.get(path);
    return willis.origin.count() === before;
  };

  it('a fresh answer to GET serves the next request (RFC 9111 §3)', async () => {
    willis.serve(answer(200, fresh, 'hello'));
    const first = await willis.get('/a');
    const second = await willis.get('/a');
    assert.equal(first.body.toString(), 'hello');
    assert.equal(second.body.toString(), 'hello');
    assert.equal(willis.origin.count(), 1);
    assert.deepEqual(cacheStatusOf(first), {
      fwd: 'uri-miss',
      'fwd-status': '200',
      stored: true,
      key: 'http://site.test/a',
    });
    assert.deepEqual(cacheStatusOf(second), { hit: true, ttl: '60' });
  });

  for (const directive of ['private, max-age=60', 'no-store, max-age=60', 'Private, max-age=60', 'max-age=60, NO-STORE']) {
    it(`an answer with "${directive}" is never served to another (RFC 9111 §5.2.2.5, §5.2.2.7)`, async () => {
      willis.serve((request, response, index) => answer(200, { 'Cache-Control': directive }, `for ${index}`)(request, response, index));
      const first = await willis.get('/a');
      const second = await willis.get('/a');
      assert.equal(first.body.toString(), 'for 0');
      assert.equal(second.body.toString(), 'for 1');
      assert.equal(cacheStatusOf(first)['stored'], undefined);
    });
  }
});
