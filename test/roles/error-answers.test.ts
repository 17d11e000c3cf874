import assert from 'node:assert/strict';
import { startNode, stopNodes, type RunningNode } from './node-fixture.js';

/** Where nobody listens: the system gives no such port away. */
const dead = { url: 'http://127.0.0.1:1/', authority: '127.0.0.1:1' };

const failing = (): Promise<RunningNode> =>
  startNode({
    access: { destinations: { allow: ['127.0.0.1'] } },
    sites: [{ host: 'site.test', origin: dead.url }],
  });

describe('an error answer', () => {
  afterEach(stopNodes);

  it('is problem+json for programs, and says who failed and why (RFC 9457 §3, RFC 9209 §2)', async () => {
    const node = await failing();
    const response = await node.ask('proxy', 'GET', dead.url, { Accept: 'application/json' });
    assert.equal(response.status, 502);
    assert.equal(response.get('content-type'), 'application/problem+json');
    assert.match(response.get('proxy-status') ?? '', /^willis;error=connection_refused;details="/);
    assert.match(response.get('cache-status') ?? '', /^willis; ?fwd=.*detail=connect-refused/);
    assert.match(response.get('via') ?? '', /^1\.1 willis /);
    assert.match(response.get('cache-control') ?? '', /no-store/);
    const problem = JSON.parse(response.body.toString()) as Record<string, unknown>;
    assert.equal(problem['status'], 502);
    assert.equal(problem['code'], 'connect-refused');
    assert.equal(String(problem['detail']).includes(dead.authority), true);
  });

  it('is a page for people (RFC 9110 §12.5.1)', async () => {
    const node = await failing();
    const response = await node.ask('proxy', 'GET', dead.url, { Accept: 'text/html,*/*;q=0.8' });
    assert.match(response.get('content-type') ?? '', /^text\/html/);
    assert.match(response.body.toString(), /^<!doctype html>/i);
    assert.match(response.get('vary') ?? '', /accept/i);
  });

  it('to HEAD has the fields and no content (RFC 9110 §9.3.2)', async () => {
    const node = await failing();
    const get = await node.ask('proxy', 'GET', dead.url);
    const head = await node.ask('proxy', 'HEAD', dead.url);
    assert.equal(head.status, 502);
    assert.equal(head.get('content-type'), get.get('content-type'));
    assert.equal(head.body.length, 0);
  });

  it('of the public side keeps to itself what is behind it', async () => {
    const node = await failing();
    for (const accept of ['application/json', 'text/html']) {
      const response = await node.ask('site', 'GET', '/', { Accept: accept });
      assert.equal(response.status, 502);
      assert.match(response.get('proxy-status') ?? '', /error=connection_refused/);
      const whole = `${response.fields.join('\n')}\n${response.body.toString()}`;
      assert.ok(!whole.includes(dead.authority), whole);
      assert.ok(!whole.includes('127.0.0.1'), whole);
    }
  });

  it('to an upgrade is the same, and is one line of the access log', async () => {
    const node = await failing();
    const response = await node.ask('site', 'GET', '/chat', {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    assert.equal(response.status, 502);
    assert.match(response.get('cache-status') ?? '', /^willis; ?fwd=/);
    const log = await node.finalLog();
    assert.deepEqual(
      log.map(({ method, uri, status, outcome }) => [method, uri, status, outcome]),
      [['GET', 'http://site.test/chat', 502, 'connect-refused']],
    );
  });

  it('to what is no request is 400, and is one line of the access log without a request', async () => {
    const node = await failing();
    const client = await node.connect('site');
    client.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    const response = await client.receive();
    assert.equal(response.status, 400);
    assert.match(response.get('proxy-status') ?? '', /error=http_request_error/);
    const [line, ...more] = await node.finalLog();
    assert.deepEqual(more, []);
    assert.deepEqual([line!.method, line!.uri, line!.status, line!.outcome], ['-', '-', 400, 'bad-request']);
  });
});
