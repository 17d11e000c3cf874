import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startWillis, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

describe('the keys of sites', () => {
  let willis: Willis;
  let other: ScriptedOrigin;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, { 'Cache-Control': 'no-store' }, 'first'));
    other = await startOrigin(answer(200, { 'Cache-Control': 'no-store' }, 'other'));
  });
  afterEach(async () => {
    await willis.stop();
    await other.close();
  });

  const content = async (path: string, host = 'site.test'): Promise<string> => {
    const response = await willis.get(path, { Host: host });
    return response.status === 200 ? response.body.toString() : String(response.status);
  };

  flips('sites', 'what the reverse side serves', async () => {
    assert.equal(await content('/'), 'first');
    await willis.reload({ sites: [] });
    assert.equal(await content('/'), '421');
    await willis.reload({ sites: [{ host: '*', origin: other.url('/') }] });
    assert.equal(await content('/'), 'other');
  });

  flips('sites[].host', 'the name that clients ask for', async () => {
    await willis.reload({ sites: [{ host: 'a.test', origin: other.url('/') }] });
    assert.deepEqual([await content('/', 'a.test'), await content('/', 'b.test')], ['other', '421']);
    await willis.reload({ sites: [{ host: 'b.test', origin: other.url('/') }] });
    assert.deepEqual([await content('/', 'a.test'), await content('/', 'b.test')], ['421', 'other']);
  });

  flips('sites[].prefix', 'what is served of it', async () => {
    await willis.reload({ sites: [{ host: '*', prefix: '/a/', origin: other.url('/') }] });
    assert.deepEqual([await content('/a/x'), await content('/b/x')], ['other', '404']);
    assert.equal(other.last.url, '/x');
    await willis.reload({ sites: [{ host: '*', prefix: '/b/', origin: other.url('/') }] });
    assert.deepEqual([await content('/a/x'), await content('/b/x')], ['404', 'other']);
  });

  flips('sites[].origin', 'where it comes from', async () => {
    assert.equal(await content('/x'), 'first');
    await willis.reload({ sites: [{ host: '*', origin: other.url('/part/') }] });
    assert.equal(await content('/x'), 'other');
    assert.equal(other.last.url, '/part/x');
  });

  flips('sites[].sendHost', 'whose name the origin server sees', async () => {
    await content('/');
    assert.equal(willis.origin.last.headers.host, 'site.test');
    await willis.reload({ sites: [{ host: '*', origin: willis.origin.url('/'), sendHost: 'origin' }] });
    await content('/');
    assert.equal(willis.origin.last.headers.host, willis.origin.authority);
  });
});
