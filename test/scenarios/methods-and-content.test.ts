import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { answer, answerInPieces } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };

describe('methods and content', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'NOTIFY']) {
    it(`${method} goes to the origin server each time, with its content (RFC 9111 §2, §4)`, async () => {
      willis.serve(answer(200, fresh, 'done'));
      for (const count of [1, 2]) {
        const response = await willis.ask(method, '/a', { 'Content-Type': 'text/x' }, 'content');
        assert.equal(response.body.toString(), 'done');
        assert.deepEqual([cacheStatusOf(response)['fwd'], cacheStatusOf(response)['fwd-status']], ['method', '200']);
        assert.equal(willis.origin.count(), count);
        assert.equal(willis.origin.last.method, method);
        assert.equal(willis.origin.last.headers['content-type'], 'text/x');
        assert.equal(willis.origin.last.body.toString(), 'content');
      }
    });
  }

  it('method names are case-sensitive: get is not GET (RFC 9110 §9.1)', async () => {
    willis.serve(answer(200, fresh, 'stored'));
    await willis.get('/a');
    const response = await willis.ask('get', '/a');
    assert.notEqual(outcomeOf(response), 'hit');
  });

  it('chunked content is passed on as it comes, with its trailers (RFC 9112 §7.1)', async () => {
    willis.serve(answer(200, {}, 'done'));
    const client = await willis.connect();
    client.send(
      'POST /a HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    assert.equal((await client.receive('POST')).body.toString(), 'done');
    assert.equal(willis.origin.last.body.toString(), 'hello');
    assert.equal(willis.origin.last.message.trailers['x-sum'], '1');
  });

  it('the answer to POST is streamed, too', async () => {
    const rest = gate();
    willis.serve(answerInPieces(200, {}, 'first', rest, 'last'));
    const client = await willis.begin('POST', '/a', {}, 'x');
    await client.receiveHead();
    assert.equal((await client.take(10)).toString(), '5\r\nfirst\r\n');
    rest.open();
    assert.match((await client.take(9)).toString(), /last/);
  });

  it('a client that goes away while its POST is unanswered ends the request to the origin server', async () => {
    willis.serve(() => undefined);
    const client = await willis.begin('POST', '/a', {}, 'x');
    await willis.origin.received(1);
    client.reset();
    assert.equal(await willis.origin.last.ended, 'aborted');
  });

  it('a POST that fails is not sent again (RFC 9110 §9.2.2)', async () => {
    willis.serve((_request, response) => void response.destroy());
    assert.equal((await willis.ask('POST', '/a', {}, 'x')).status, 502);
    assert.equal(willis.origin.count(), 1);
  });

  it('the answer to HEAD on a miss has the fields of GET and no content (RFC 9110 §9.3.2)', async () => {
    willis.serve(answer(200, { ...fresh, ETag: '"1"' }, 'hello'));
    const head = await willis.ask('HEAD', '/a');
    assert.equal(willis.origin.last.method, 'HEAD');
    assert.equal(head.contentLength, 5);
    assert.equal(head.get('etag'), '"1"');
    assert.equal(outcomeOf(head), 'uri-miss');
  });

  it('an empty body is a body: it is stored and served (RFC 9110 §8.6)', async () => {
    willis.serve(answer(200, fresh, ''));
    await willis.get('/a');
    const hit = await willis.get('/a');
    assert.equal(outcomeOf(hit), 'hit');
    assert.equal(hit.contentLength, 0);
  });

  it('redirects are stored and served as they are (RFC 9110 §15.4.2)', async () => {
    willis.serve(answer(301, { ...fresh, Location: '/b' }, 'moved'));
    await willis.get('/a');
    const hit = await willis.get('/a', { Range: 'bytes=0-0', 'If-None-Match': '*' });
    assert.equal(outcomeOf(hit), 'hit');
    assert.deepEqual([hit.status, hit.get('location'), hit.body.toString()], [301, '/b', 'moved']);
  });
});
