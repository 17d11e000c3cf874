import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

describe('rules of the cache', () => {
  let willis: Willis;

  async function start(...rules: readonly object[]): Promise<void> {
    willis = await startWillis({ config: { cache: { rules } } });
  }

  afterEach(() => willis.stop());

  it('what a rule says not to store is forwarded each time, and says so in Cache-Status', async () => {
    await start({ match: 'http://site.test/live/', store: false });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'now'));
    await willis.get('/live/score');
    const second = await willis.get('/live/score');
    assert.deepEqual(cacheStatusOf(second), {
      fwd: 'bypass',
      'fwd-status': '200',
      key: 'http://site.test/live/score',
      detail: 'rule',
    });
    assert.equal(willis.origin.requests.length, 2);
    await willis.get('/other');
    assert.equal(outcomeOf(await willis.get('/other')), 'hit');
  });

  it('a lifetime is for responses that name none, and no others', async () => {
    await start({ match: 'http://site.test/**.png', lifetime: '1h' });
    willis.serve(answer(200, {}, 'picture'));
    await willis.get('/a/b.png');
    await willis.get('/a/b.jpg');
    willis.clock.advance(3_599_000);
    assert.equal(outcomeOf(await willis.get('/a/b.png')), 'hit');
    assert.notEqual(outcomeOf(await willis.get('/a/b.jpg')), 'hit');
    willis.clock.advance(2_000);
    assert.notEqual(outcomeOf(await willis.get('/a/b.png')), 'hit');

    willis.serve(answer(200, { 'Cache-Control': 'max-age=10' }, 'picture'));
    await willis.get('/c.png');
    willis.clock.advance(11_000);
    assert.notEqual(outcomeOf(await willis.get('/c.png')), 'hit');
  });

  it('an answer that forbids storing is not stored by any rule', async () => {
    await start({ match: 'http://site.test/', lifetime: '1h' });
    willis.serve(answer(200, { 'Cache-Control': 'private' }, 'mine'));
    await willis.get('/a');
    assert.notEqual(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('the first rule that matches counts', async () => {
    await start({ match: 'http://site.test/a/b', store: true }, { match: 'http://site.test/a/', store: false });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'x'));
    for (const path of ['/a/b', '/a/c']) await willis.get(path);
    assert.equal(outcomeOf(await willis.get('/a/b')), 'hit');
    assert.equal(outcomeOf(await willis.get('/a/c')), 'bypass');
  });
});
