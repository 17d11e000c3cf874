import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseItem, parseList, Token } from '../../proxy/http/structured-fields.js';
import { answer, answerInPieces, type ScriptedFields } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { runCount } from '../support/run-count.js';
import { outcomeOf, startWillis, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };

/** The messages that leave, by their form. */
describe('answers to clients', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const store = async (fields: ScriptedFields = {}): Promise<void> => {
    willis.serve(answer(200, { ...fresh, ETag: '"1"', ...fields }, 'stored'));
    await willis.get('/a');
  };

  /** A request in HTTP/1.0. */
  const ask10 = async (path: string, lines = ''): Promise<RawResponse> => {
    const client = await willis.connect();
    client.send(`GET ${path} HTTP/1.0\r\nHost: site.test\r\n${lines}\r\n`);
    return client.receive();
  };

  it('a 304 has what a 200 would say of freshness and identity, and nothing of the content (RFC 9110 §15.4.5)', async () => {
    const modified = willis.clock.httpDate(-1000);
    const identity = { 'Content-Location': '/a.en', Vary: 'Accept', Expires: willis.clock.httpDate(600) };
    await store({ ...identity, 'Last-Modified': modified, 'Content-Type': 'text/plain', 'Content-Language': 'en' });
    const response = await willis.get('/a', { 'If-None-Match': '"1"' });
    assert.equal(response.status, 304);
    for (const [name, value] of Object.entries({ ...identity, ...fresh, ETag: '"1"' }))
      assert.equal(response.get(name), value);
    assert.notEqual(response.get('date'), undefined);
    for (const name of ['content-type', 'content-language', 'content-length', 'last-modified'])
      assert.equal(response.get(name), undefined, name);
  });

  it('Content-Length of an answer to HEAD is that of GET (RFC 9110 §8.6, §9.3.2)', async () => {
    await store();
    assert.equal((await willis.ask('HEAD', '/a')).contentLength, 6);
    willis.serve(answer(200, { 'Content-Length': '12' }));
    assert.equal((await willis.ask('HEAD', '/b')).contentLength, 12);
  });

  it('a 416 says nothing that would let a cache keep it (RFC 9110 §15.5.17, RFC 9111 §3)', async () => {
    await store({ Expires: willis.clock.httpDate(600), 'CDN-Cache-Control': 'max-age=600' });
    const response = await willis.get('/a', { Range: 'bytes=100-' });
    assert.equal(response.status, 416);
    assert.equal(response.get('content-range'), 'bytes */6');
    for (const name of ['cache-control', 'cdn-cache-control', 'expires', 'etag'])
      assert.equal(response.get(name), undefined, name);
  });

  for (const status of [203, 204]) {
    it(`a precondition holds for a stored ${status} as for any success (RFC 9110 §13.2.1)`, async () => {
      willis.serve(answer(status, { ...fresh, ETag: '"1"' }));
      await willis.get('/a');
      assert.equal((await willis.get('/a', { 'If-None-Match': '"1"' })).status, 304);
      assert.equal((await willis.get('/a', { Range: 'bytes=0-0' })).status, status);
    });
  }

  it('and not for a stored redirect or error (RFC 9110 §13.2.1)', async () => {
    for (const status of [301, 404]) {
      willis.serve(answer(status, { ...fresh, ETag: '"1"' }, 'x'));
      await willis.get(`/${status}`);
      const response = await willis.get(`/${status}`, { 'If-None-Match': '"1"' });
      assert.deepEqual([outcomeOf(response), response.status], ['hit', status]);
    }
  });

  describe('of HTTP/1.0', () => {
    it('have no chunks, on a miss nor on a hit (RFC 9112 §6.1)', async () => {
      willis.serve(answerInPieces(200, fresh, 'one ', 'two'));
      const [miss, hit] = [await ask10('/a'), await ask10('/a')];
      for (const response of [miss, hit]) assert.equal(response.body.toString(), 'one two');
      assert.equal(miss.framing, 'close');
      assert.deepEqual([outcomeOf(hit), hit.framing], ['hit', 'length']);
    });

    it('have no informational responses before them (RFC 9110 §15.2)', async () => {
      willis.serve((_request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        response.end('x');
      });
      assert.equal((await ask10('/a')).informational.length, 0);
      assert.equal((await willis.get('/b')).informational.length, 1);
    });

    it('tell the origin server of the version by Via (RFC 9110 §7.6.3)', async () => {
      await ask10('/a');
      assert.match(String(willis.origin.last.headers.via), /^1\.0 willis/);
      assert.equal(willis.origin.last.httpVersion, '1.1');
    });

    it('100-continue of HTTP/1.0 is ignored (RFC 9110 §10.1.1)', async () => {
      willis.serve(answer(200, {}, 'x'));
      const client = await willis.connect();
      client.send('POST /a HTTP/1.0\r\nHost: site.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi');
      const response = await client.receive();
      assert.deepEqual([response.status, response.informational.length], [200, 0]);
    });
  });

  describe('whatever was asked, and whatever happened', () => {
    const answers = async (path: string): Promise<RawResponse[]> => {
      const all: RawResponse[] = [];
      for (const fields of [{}, {}, { Range: 'bytes=1-2' }, { 'Cache-Control': 'no-cache' }, { Expect: path }])
        all.push(await willis.get(path, fields));
      return [...all, await willis.ask('DELETE', path), await willis.get(path, { 'Cache-Control': 'only-if-cached' })];
    };

    const path = fc.stringMatching(/^\/[\x21\x22\x24-\x5b\x5d-\x7e]{0,12}$/);

    it('Cache-Status is a List with one member of ours, and Proxy-Status one Item (RFC 9211 §2, RFC 9209 §2)', async () => {
      await fc.assert(
        fc.asyncProperty(path, async (target) => {
          willis.serve(answer(200, { ...fresh, ETag: '"1"' }, 'stored'));
          for (const response of await answers(target)) {
            const members = parseList(response.get('cache-status') ?? '') ?? assert.fail();
            assert.deepEqual(
              members.map(({ value }) => value),
              [new Token('willis')],
            );
            const proxyStatus = response.get('proxy-status');
            if (proxyStatus !== undefined) assert.equal(parseItem(proxyStatus)?.params.has('error'), true);
          }
        }),
        { numRuns: runCount(25) },
      );
    });
  });

  it('Warning of the origin server is an ordinary field: passed on, stored, evaluated by nobody (RFC 9111 §5.5)', async () => {
    await store({ Warning: '110 - "stale"' });
    const hit = await willis.get('/a');
    assert.deepEqual([outcomeOf(hit), hit.get('warning')], ['hit', '110 - "stale"']);
  });
});
