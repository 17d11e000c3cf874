import assert from 'node:assert/strict';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { answer, byPath } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { startOrigin, type RecordedRequest, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { outcomeOf } from '../support/willis.js';
import { startNode, stopNodes, type RunningNode } from './node-fixture.js';

const fresh = { 'Cache-Control': 'max-age=60' };
const allowed = { destinations: { allow: ['127.0.0.1'] } };

describe('logical names at the forward proxy', () => {
  let origin: ScriptedOrigin;

  beforeEach(async () => {
    origin = await startOrigin(answer(200, fresh, 'ok'));
  });
  afterEach(async () => {
    await stopNodes();
    await origin.close();
  });

  /** What visitors have asked for. A node asks behind them whether that is a namespace of somebody's. */
  const visits = (asked: ScriptedOrigin = origin): readonly RecordedRequest[] =>
    asked.requests.filter(({ url }) => !url.startsWith('/.well-known/'));

  const withNames = (names: Readonly<Record<string, string>>, config = {}): Promise<RunningNode> =>
    startNode({ access: allowed, wlis: { names }, ...config });

  const get = (node: RunningNode, url: string, fields = {}): Promise<RawResponse> =>
    node.ask('proxy', 'GET', url, fields);

  it('http://<name>.wlis/path is got from the namespace, which is asked by its own name', async () => {
    const node = await withNames({ manual: origin.url('/m/') });
    const response = await get(node, 'http://manual.wlis/a/b?c=d');
    assert.equal(response.body.toString(), 'ok');
    assert.equal(visits().at(-1)?.url, '/m/a/b?c=d');
    assert.equal(visits().at(-1)?.headers.host, origin.authority);
  });

  it('a name and the URI that it stands for share what is stored, whichever was asked for first', async () => {
    const node = await withNames({ manual: origin.url('/m/') });
    assert.equal(outcomeOf(await get(node, 'http://manual.wlis/a')), 'uri-miss');
    assert.equal(outcomeOf(await get(node, origin.url('/m/a'))), 'hit');
    assert.equal(outcomeOf(await get(node, origin.url('/m/b'))), 'uri-miss');
    assert.equal(outcomeOf(await get(node, 'http://manual.wlis/b')), 'hit');
    assert.equal(visits().length, 2);
  });

  it('redirects into the namespace stay under the name, for those who use it, from the cache too', async () => {
    const node = await withNames({ manual: origin.url('/m/') });
    origin.handle(answer(301, { ...fresh, Location: '/m/new?x#y' }));
    for (const outcome of ['uri-miss', 'hit']) {
      const response = await get(node, 'http://manual.wlis/old');
      assert.equal(outcomeOf(response), outcome);
      assert.equal(response.get('location'), 'http://manual.wlis/new?x#y');
    }
    assert.equal((await get(node, origin.url('/m/old'))).get('location'), '/m/new?x#y');
  });

  it('a wildcard stands for all names below it, and none leads out of what it stands for', async () => {
    const node = await withNames({ '*.users': origin.url('/home/') });
    await get(node, 'http://drafts.alice.users.wlis/x');
    assert.equal(visits().at(-1)?.url, '/home/alice/drafts/x');
    for (const path of ['/../bob/x', '/%2e%2E/bob/x', '/a/../../%2e./bob/x']) {
      await get(node, `http://alice.users.wlis${path}`);
      assert.equal(visits().at(-1)?.url, '/home/alice/bob/x', path);
    }
    assert.equal((await get(node, 'http://alice.users.wlis/..%2fbob/x')).status, 400);
    assert.equal((await get(node, 'http://alice.users.wlis/..;a/bob/x')).status, 400);
  });

  it('a name that nobody has given is answered by 502, which says what names there are; nobody else is asked', async () => {
    const node = await withNames({ manual: origin.url('/m/'), '*.users': origin.url('/home/') });
    for (const url of ['http://other.wlis/', 'http://users.wlis/', 'http://manual.wlis:81/', 'http://-a.wlis/']) {
      const response = await get(node, url, { Accept: 'text/html' });
      assert.equal(response.status, 502, url);
      assert.match(response.get('proxy-status') ?? '', /error=dns_error/);
      assert.match(response.body.toString(), /manual\.wlis, \*\.users\.wlis/);
    }
    assert.equal(origin.connections, 0);
  });

  it('a tunnel to a name is refused, for nobody has a certificate for it', async () => {
    const node = await withNames({ manual: origin.url('/m/') });
    const response = await node.ask('proxy', 'CONNECT', 'manual.wlis:443', { Host: 'manual.wlis:443' });
    assert.equal(response.status, 502);
    assert.match(response.body.toString(), /read as http:\/\/manual\.wlis\//);
  });

  it('names that lead in a circle are a fault of the configuration, and no node begins with them', async () => {
    await assert.rejects(withNames({ a: 'http://b.wlis/', b: 'http://a.wlis/' }), /wlis\.names\.a.*a → b → a/s);
    await assert.rejects(withNames({ a: 'http://x.example/.well-known/y/' }), /wlis\.names\.a/);
  });

  it('the rules of access are about what is asked for really', async () => {
    const rules = [{ action: 'deny', hosts: ['127.0.0.1'], paths: ['/m/secret/'] }, { action: 'allow' }];
    const node = await withNames({ manual: origin.url('/m/') }, { access: { ...allowed, rules } });
    assert.equal((await get(node, 'http://manual.wlis/secret/x')).status, 403);
    assert.equal((await get(node, 'http://manual.wlis/x')).status, 200);
  });

  it('destinations that are refused are refused under a name, too', async () => {
    const node = await startNode({ wlis: { names: { manual: origin.url('/') } } });
    assert.equal((await get(node, 'http://manual.wlis/')).status, 403);
    assert.equal(origin.connections, 0);
  });

  it('clients that may not use the proxy learn nothing of its names', async () => {
    const node = await withNames({ manual: origin.url('/') }, { access: { ...allowed, clients: ['192.0.2.0/24'] } });
    for (const url of ['http://manual.wlis/', 'http://other.wlis/']) {
      const response = await get(node, url);
      assert.equal(response.status, 403);
      assert.doesNotMatch(response.body.toString(), /manual\.wlis,|names are/);
    }
  });

  it('cookies of the origin server are passed on as they are', async () => {
    const node = await withNames({ manual: origin.url('/m/') });
    origin.handle(answer(200, { 'Set-Cookie': 'a=b; Domain=docs.example; Path=/m/' }));
    assert.equal((await get(node, 'http://manual.wlis/x')).get('set-cookie'), 'a=b; Domain=docs.example; Path=/m/');
  });

  it('the access log has the name that was asked for', async () => {
    const node = await withNames({ manual: origin.url('/m/') });
    await get(node, 'http://manual.wlis/x');
    const [line] = await node.finalLog();
    assert.equal(line?.uri, 'http://manual.wlis/x');
    assert.equal(line.status, 200);
  });

  describe('for a namespace of https (decision 21)', () => {
    let certificates: Certificates;
    let secure: ScriptedOrigin;
    let dir: TempDir;
    before(async () => {
      certificates = await makeCertificates();
    });
    beforeEach(async () => {
      dir = await TempDir.create();
      secure = await startOrigin(answer(200, fresh, 'by TLS'), { tls: certificates.leaf });
    });
    afterEach(async () => {
      await stopNodes();
      await secure.close();
      await dir.remove();
    });

    const start = async (httpsAsHttp?: string): Promise<RunningNode> =>
      withNames(
        { manual: `https://localhost:${secure.port}/m/` },
        {
          access: { destinations: { allow: ['localhost'] } },
          upstream: { ca: [await dir.write('ca.pem', certificates.ca)] },
          ...(httpsAsHttp && { clientSide: { httpsAsHttp } }),
        },
      );

    it('a client of this machine reads it with TLS behind the node; Secure cookies stay out', async () => {
      const node = await start();
      secure.handle(
        byPath({
          '/m/x': answer(200, { ...fresh, 'Set-Cookie': ['a=1; Secure', 'b=2'] }, 'by TLS'),
          '/m/y': answer(302, { Location: '/m/x' }),
        }),
      );
      const response = await get(node, 'http://manual.wlis/x');
      assert.equal(response.body.toString(), 'by TLS');
      assert.equal(response.get('set-cookie'), 'b=2');
      assert.equal((await get(node, 'http://manual.wlis/y')).get('location'), 'http://manual.wlis/x');
    });

    it('where httpsAsHttp is never, whoever reads is sent to the address that has TLS, and what writes is refused', async () => {
      const node = await start('never');
      const response = await get(node, 'http://manual.wlis/x?y');
      assert.equal(response.status, 307);
      assert.equal(response.get('location'), `https://localhost:${secure.port}/m/x?y`);
      const post = await node.ask('proxy', 'POST', 'http://manual.wlis/x', { 'Content-Length': '0' });
      assert.equal(post.status, 403);
      assert.match(post.body.toString(), /httpsAsHttp/);
      assert.equal(secure.connections, 0);
    });

    it('once the host has said that it wants TLS all the way, it gets that, beginning with that answer', async () => {
      const node = await start();
      secure.handle(answer(200, { ...fresh, 'Strict-Transport-Security': 'max-age=60' }, 'by TLS'));
      for (const path of ['/x', '/x', '/y']) {
        const response = await get(node, `http://manual.wlis${path}`);
        assert.equal(response.status, 307, path);
        assert.equal(response.get('location'), `https://localhost:${secure.port}/m${path}`);
        assert.equal(response.body.length, 0);
      }
      assert.equal(visits(secure).length, 1);
    });

    it('what the host says in an answer to an https target counts, too', async () => {
      const node = await start();
      secure.handle(answer(200, { 'Strict-Transport-Security': 'max-age=60' }, 'by TLS'));
      await get(node, `https://localhost:${secure.port}/other`);
      assert.equal((await get(node, 'http://manual.wlis/x')).status, 307);
      assert.equal(visits(secure).length, 1);
    });
  });
});
