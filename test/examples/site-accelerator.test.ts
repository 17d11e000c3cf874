import assert from 'node:assert/strict';
import { answer, byPath } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { outcomeOf } from '../support/willis.js';
import { startExample, type ExampleNode } from './example-node.js';

const fresh = { 'Cache-Control': 'max-age=3600', ETag: '"1"' };
const host = { Host: 'www.example.org' };

describe('the example site-accelerator', () => {
  let origin: ScriptedOrigin;
  let node: ExampleNode;

  beforeEach(async () => {
    origin = await startOrigin(
      byPath({ '/news/today': answer(200, fresh, 'old'), '/news/more': answer(200, fresh, 'old') }),
    );
    node = await startExample('site-accelerator.yaml', (sections) => {
      for (const site of sections.sites ?? []) site.origin = origin.url('/');
    });
  });

  afterEach(async () => {
    await node.stop();
    await origin.close();
  });

  const get = (path: string): Promise<RawResponse> => node.ask('site', 'GET', path, host);
  const publish = (): void => {
    const answers = { ...fresh, ETag: '"2"' };
    origin.handle(byPath({ '/news/today': answer(200, answers, 'new'), '/news/more': answer(200, answers, 'new') }));
  };

  it("answers from memory after the first time, under the site's own name", async () => {
    assert.equal(outcomeOf(await get('/news/today')), 'uri-miss');
    const again = await get('/news/today');
    assert.equal(outcomeOf(again), 'hit');
    assert.equal(again.body.toString(), 'old');
    assert.equal(origin.count(), 1);
    assert.equal(origin.last.headers.host, 'www.example.org');
  });

  it('serves no other name', async () => {
    const response = await node.ask('site', 'GET', '/news/today', { Host: 'other.example' });
    assert.ok(response.status >= 400, String(response.status));
    assert.equal(origin.count(), 0);
  });

  it('gets what was published after a PURGE from this machine, by a conditional request', async () => {
    await get('/news/today');
    publish();
    assert.equal((await get('/news/today')).body.toString(), 'old');
    const purge = await node.ask('site', 'PURGE', '/news/today', host);
    assert.equal(purge.status, 200);
    assert.equal((JSON.parse(purge.body.toString()) as { purged: number }).purged, 1);
    assert.equal((await get('/news/today')).body.toString(), 'new');
    assert.equal(origin.last.headers['if-none-match'], '"1"');
    assert.equal(outcomeOf(await get('/news/today')), 'hit');
    assert.deepEqual(
      origin.requests.map(({ method }) => method),
      ['GET', 'GET'],
    );
  });

  it('purges all below a prefix by the operator side', async () => {
    const paths = ['/news/today', '/news/more'];
    for (const path of paths) await get(path);
    publish();
    const question = JSON.stringify({ prefix: 'http://www.example.org/news/' });
    const json = { 'Content-Type': 'application/json' };
    const purge = await node.ask('admin', 'POST', '/api/purge', json, question);
    assert.equal(purge.status, 200, purge.body.toString());
    assert.equal((JSON.parse(purge.body.toString()) as { purged: number }).purged, 2);
    for (const path of paths) assert.equal((await get(path)).body.toString(), 'new');
  });
});
