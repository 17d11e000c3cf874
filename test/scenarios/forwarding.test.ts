import assert from 'node:assert/strict';
import { FakeClock } from '../support/fake-clock.js';
import { answer } from '../support/origin-scripts.js';
import { startOrigin } from '../support/scripted-origin.js';
import { outcomeOf, startWillis, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };

describe('forwarding', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, fresh, 'ok'));
  });
  afterEach(() => willis.stop());

  const throughProxy = async (uri: string, fields: Record<string, string> = {}) => {
    const client = await willis.connect(willis.proxyPort);
    client.request('GET', uri, { Host: 'ignored.test', ...fields });
    return client.receive();
  };

  it('fields of the connection are not passed on to the origin server (RFC 9110 §7.6.1)', async () => {
    await willis.get('/a', {
      Connection: 'X-Hop, keep-alive',
      'X-Hop': '1',
      'Keep-Alive': '5',
      TE: 'trailers',
      'Proxy-Connection': 'x',
      'X-End': '2',
    });
    const { headers } = willis.origin.last;
    for (const name of ['x-hop', 'keep-alive', 'te', 'proxy-connection']) assert.equal(headers[name], undefined, name);
    assert.equal(headers['x-end'], '2');
  });

  it('what Connection may not remove is still there (RFC 9110 §7.6.1)', async () => {
    await willis.get('/a', { Connection: 'Cookie, X-Forwarded-For', Cookie: 'a=b' });
    assert.equal(willis.origin.last.headers.cookie, 'a=b');
    assert.match(String(willis.origin.last.headers['x-forwarded-for']), /127\.0\.0\.1/);
  });

  it('Via and CDN-Loop tell the origin server of this node (RFC 9110 §7.6.3, RFC 8586 §2)', async () => {
    await willis.get('/a', { Via: '1.0 before' });
    assert.match(String(willis.origin.last.headers.via), /^1\.0 before, 1\.1 willis/);
    assert.match(String(willis.origin.last.headers['cdn-loop']), /willis/);
  });

  it('a request that comes round is refused by 508 (RFC 9110 §7.6.3)', async () => {
    await willis.get('/a');
    const response = await willis.get('/b', { Via: String(willis.origin.last.headers.via) });
    assert.equal(response.status, 508);
    assert.equal(willis.origin.count(), 1);
  });

  it('Host of a site is that of the client (RFC 9110 §7.2)', async () => {
    await willis.get('/a', { Host: 'Www.Example.Test:8080' });
    assert.equal(willis.origin.last.headers.host, 'www.example.test:8080');
  });

  it('hosts of one site are stored apart (RFC 9111 §2)', async () => {
    await willis.get('/a', { Host: 'one.test' });
    assert.equal(outcomeOf(await willis.get('/a', { Host: 'two.test' })), 'uri-miss');
    assert.equal(outcomeOf(await willis.get('/a', { Host: 'ONE.test:80' })), 'hit');
  });

  it('paths that differ in a letter, an escape or a query are stored apart (RFC 9110 §4.2.3)', async () => {
    await willis.get('/a?x=1');
    for (const path of ['/a?x=2', '/A?x=1', '/a', '/%61?x=1'])
      assert.equal(outcomeOf(await willis.get(path)), 'uri-miss', path);
  });

  it('the forward proxy asks the origin server of the absolute form, whatever Host says (RFC 9112 §3.2.2)', async () => {
    const first = await throughProxy(willis.origin.url('/a'));
    assert.equal(first.body.toString(), 'ok');
    assert.equal(willis.origin.last.url, '/a');
    assert.equal(willis.origin.last.headers.host, willis.origin.authority);
    assert.equal(outcomeOf(await throughProxy(willis.origin.url('/a'))), 'hit');
  });

  it('what the forward proxy stores does not answer on the public side, nor the other way round', async () => {
    await throughProxy(willis.origin.url('/a'));
    assert.equal(outcomeOf(await willis.get('/a', { Host: willis.origin.authority })), 'uri-miss');
  });

  it('proxy credentials end here (RFC 9110 §11.7.1)', async () => {
    await throughProxy(willis.origin.url('/a'), { 'Proxy-Authorization': 'Basic eDp5' });
    assert.equal(willis.origin.last.headers['proxy-authorization'], undefined);
  });

  it('the answer to GET with content is stored for nobody, on either side (RFC 9110 §9.3.1)', async () => {
    await willis.ask('GET', '/fat', {}, 'content');
    assert.equal(outcomeOf(await willis.get('/fat')), 'uri-miss');
  });

  it('the answer to a request that names another resource in a field is stored for nobody (RFC 9111 §7.1)', async () => {
    for (const [name, value] of [
      ['X-Original-URL', '/admin'],
      ['X-HTTP-Method-Override', 'DELETE'],
    ] as const) {
      await willis.get('/poisoned', { [name]: value });
      assert.equal(outcomeOf(await willis.get(`/poisoned?${name}`)), 'uri-miss');
    }
    assert.equal(outcomeOf(await willis.get('/poisoned')), 'uri-miss');
    assert.equal(outcomeOf(await willis.get('/poisoned', { 'X-Original-URL': '/admin' })), 'hit');
    await throughProxy(willis.origin.url('/poisoned'), { 'X-Forwarded-Host': 'evil.test' });
    assert.equal(outcomeOf(await throughProxy(willis.origin.url('/poisoned'))), 'uri-miss');
  });

  it('nor does it validate what is stored, or replace it (RFC 9111 §4.3)', async () => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=10', ETag: '"1"' }, 'ok'));
    await willis.get('/stale');
    willis.clock.advance(20_000);
    const other = { 'X-Original-URL': '/admin' };
    willis.serve(answer(200, { 'Cache-Control': 'max-age=600', ETag: '"2"' }, 'evil'));
    await willis.get('/stale', other);
    assert.equal(willis.origin.last.headers['if-none-match'], undefined);
    await willis.ask('HEAD', '/stale', other);
    willis.serve(answer(304, { ETag: '"1"' }));
    assert.equal((await willis.get('/stale')).body.toString(), 'ok');
  });

  it('an origin server that refuses connections is a 502 that says so (RFC 9209 §2.3)', async () => {
    await willis.origin.close();
    const response = await willis.get('/a');
    assert.equal(response.status, 502);
    assert.match(response.get('proxy-status') ?? '', /error=connection_refused/);
    assert.match(response.get('cache-status') ?? '', /^willis; fwd=.*detail=connect-refused/);
  });
});

describe('a prefix that stands for a part of an origin server', () => {
  let willis: Willis;

  beforeEach(async () => {
    const origin = await startOrigin(answer(200, fresh, 'ok'), { clock: new FakeClock() });
    const sites = [{ host: '*', prefix: '/npm/', origin: origin.url('/registry/') }];
    willis = await startWillis({ origin, config: { sites } });
  });
  afterEach(() => willis.stop());

  for (const path of [
    '/npm/..%2fsecret',
    '/npm/%2e%2E%2Fsecret',
    '/npm/..\\secret',
    '/npm/..%5Csecret',
    '/npm/..;x/secret',
  ]) {
    it(`is not left by ${path}, whatever the origin server takes for a slash (RFC 3986 §6.2.2.3)`, async () => {
      assert.equal((await willis.get(path)).status, 400);
      assert.equal(willis.origin.count(), 0);
    });
  }

  it('is not left by dot segments, and other names with dots are served (RFC 3986 §5.2.4)', async () => {
    assert.equal((await willis.get('/npm/%2e%2e/secret')).status, 404);
    for (const path of ['/npm/...', '/npm/a..b', '/npm/@scope%2fname', '/npm/x?next=..%2f']) {
      assert.equal((await willis.get(path)).status, 200, path);
    }
  });
});
