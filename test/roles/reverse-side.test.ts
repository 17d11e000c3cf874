import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startNode, stopNodes, type RunningNode } from './node-fixture.js';

describe('the reverse side', () => {
  let first: ScriptedOrigin;
  let second: ScriptedOrigin;
  let node: RunningNode;

  const start = async (sites: readonly object[], access: object = {}): Promise<void> => {
    node = await startNode({ sites, access });
  };
  /** Which origin server was asked for what. */
  const asked = async (host: string, path: string): Promise<string> => {
    const before = [first.count(), second.count()];
    const { status } = await node.ask('site', 'GET', path, { Host: host });
    if (first.count() > before[0]!) return `first ${first.last.url}`;
    if (second.count() > before[1]!) return `second ${second.last.url}`;
    return String(status);
  };

  beforeEach(async () => {
    first = await startOrigin(answer(200, { 'Cache-Control': 'no-store' }, 'first'));
    second = await startOrigin(answer(200, { 'Cache-Control': 'no-store' }, 'second'));
  });
  afterEach(async () => {
    await stopNodes();
    await first.close();
    await second.close();
  });

  describe('chooses a site', () => {
    it('by host, in any case and with any port, and by the longest prefix of the path', async () => {
      await start([
        { host: 'a.test', origin: first.url('/') },
        { host: 'A.test', prefix: '/npm/', origin: second.url('/') },
        { host: 'a.test', prefix: '/npm/deep/', origin: first.url('/deeper/') },
      ]);
      assert.equal(await asked('a.test', '/x'), 'first /x');
      assert.equal(await asked('a.test', '/npm'), 'first /npm');
      assert.equal(await asked('a.test', '/npmx/y'), 'first /npmx/y');
      assert.equal(await asked('a.test', '/npm/x?y=/npm/deep/'), 'second /x?y=/npm/deep/');
      assert.equal(await asked('A.TEST:8080', '/npm/deep/x'), 'first /deeper/x');
    });

    it("by '*' for hosts that none has by name", async () => {
      await start([
        { host: '*', origin: first.url('/any/') },
        { host: 'b.test', prefix: '/p/', origin: second.url('/') },
      ]);
      assert.equal(await asked('else.test', '/x'), 'first /any/x');
      assert.equal(await asked('b.test', '/p/x'), 'second /x');
      assert.equal(await asked('b.test', '/x'), '404');
    });

    it('or says 421 for a host (RFC 9110 §15.5.20), 404 for a path, that none has', async () => {
      await start([{ host: 'a.test', prefix: '/p/', origin: first.url('/') }]);
      assert.equal(await asked('b.test', '/p/x'), '421');
      assert.equal(await asked('a.test', '/x'), '404');
      assert.equal(await asked('a.test', '/p'), '404');
    });
  });

  describe('keeps within the part of an origin server that a prefix stands for (RFC 3986 §5.2.4, §6.2.2)', () => {
    const paths: Record<string, string> = {
      '/p/../x': 'second /all/x',
      '/p/a/../../x': 'second /all/x',
      '/p/%2e%2e/x': 'second /all/x',
      '/p/.%2E/x': 'second /all/x',
      '/p/..': 'second /all/',
      '/p/../../../x': 'second /all/x',
      '/p/a/../b/./c': 'first /part/b/c',
      '/q/../p/x': 'first /part/x',
      '/p/x?y=/../z': 'first /part/x?y=/../z',
      '/p/...': 'first /part/...',
      '/p/a..b/.c': 'first /part/a..b/.c',
      '//b.test/../p/x': 'second /all//p/x',
      '//b.test/./x': 'second /all//b.test/x',
    };
    for (const [path, expected] of Object.entries(paths)) {
      it(`${path} is ${expected}`, async () => {
        await start([
          { host: 'a.test', prefix: '/p/', origin: first.url('/part/') },
          { host: 'a.test', origin: second.url('/all/') },
          { host: 'b.test', origin: first.url('/wrong/') },
        ]);
        assert.equal(await asked('a.test', path), expected);
      });
    }
  });

  describe('tells the origin server', () => {
    it("the client's Host for a whole host, the origin's own under a prefix, unless sendHost says otherwise", async () => {
      await start([
        { host: 'a.test', origin: first.url('/') },
        { host: 'a.test', prefix: '/p/', origin: first.url('/') },
        { host: 'b.test', origin: first.url('/'), sendHost: 'origin' },
        { host: 'b.test', prefix: '/p/', origin: first.url('/'), sendHost: 'client' },
      ]);
      const hosts: string[] = [];
      for (const [host, path] of [
        ['a.test:81', '/'],
        ['a.test', '/p/'],
        ['b.test', '/'],
        ['b.test', '/p/'],
      ] as const) {
        await asked(host, path);
        hosts.push(String(first.last.headers.host));
      }
      assert.deepEqual(hosts, ['a.test:81', first.authority, first.authority, 'b.test']);
    });

    const claims = {
      'X-Forwarded-For': '192.0.2.1',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'public.test',
      'X-Real-IP': '192.0.2.1',
      Forwarded: 'for=192.0.2.1;proto=https;host=public.test',
    };

    it('where a request came from, and removes what an untrusted peer says of it (RFC 7239 §5)', async () => {
      await start([{ host: 'a.test', origin: first.url('/') }]);
      await node.ask('site', 'GET', '/', { Host: 'a.test', ...claims });
      const { headers } = first.last;
      assert.equal(headers.forwarded, 'for=127.0.0.1;host=a.test;proto=http');
      assert.equal(headers['x-forwarded-for'], '127.0.0.1');
      assert.equal(headers['x-forwarded-proto'], 'http');
      assert.equal(headers['x-forwarded-host'], 'a.test');
      assert.equal(headers['x-real-ip'], undefined);
    });

    it('what a peer among access.trustedProxies says before it (RFC 7239 §7.1)', async () => {
      await start([{ host: 'a.test', origin: first.url('/') }], { trustedProxies: ['127.0.0.0/8'] });
      await node.ask('site', 'GET', '/', { Host: 'a.test', ...claims });
      const { headers } = first.last;
      assert.equal(headers.forwarded, `${claims.Forwarded}, for=127.0.0.1;host=a.test;proto=http`);
      assert.equal(headers['x-forwarded-for'], '192.0.2.1, 127.0.0.1');
      assert.equal(headers['x-forwarded-proto'], 'https');
      assert.equal(headers['x-forwarded-host'], 'public.test');
    });
  });

  it('a redirection within the origin server stays on the public side (RFC 9110 §10.2.2)', async () => {
    await start([{ host: 'a.test', prefix: '/p/', origin: first.url('/base/') }]);
    first.handle(answer(302, { Location: first.url('/base/next'), 'Content-Location': '/base/here' }));
    const response = await node.ask('site', 'GET', '/p/', { Host: 'a.test' });
    assert.equal(response.get('location'), 'http://a.test/p/next');
    assert.equal(response.get('content-location'), '/p/here');
  });

  it('OPTIONS * goes to the origin server of the host (RFC 9110 §9.3.7)', async () => {
    await start([{ host: 'a.test', prefix: '/p/', origin: first.url('/base/') }]);
    assert.equal((await node.ask('site', 'OPTIONS', '*', { Host: 'a.test' })).status, 200);
    assert.equal(first.last.url, '*');
  });

  it('opens no tunnels (405 with Allow, RFC 9110 §15.5.6)', async () => {
    await start([{ host: '*', origin: first.url('/') }]);
    const response = await node.ask('site', 'CONNECT', first.authority, { Host: first.authority });
    assert.equal(response.status, 405);
    assert.notEqual(response.get('allow'), undefined);
    assert.equal(first.connections, 0);
  });
});
