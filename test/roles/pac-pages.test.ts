import assert from 'node:assert/strict';
import { freePorts } from '../../examples/demo/free-ports.js';
import { FakeClock } from '../support/fake-clock.js';
import { answer } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { startOrigin } from '../support/scripted-origin.js';
import { evaluatePac } from '../wlis/pac/pac-evaluator.js';
import { startNode, stopNodes, type RunningNode } from './node-fixture.js';

const host = 'proxy.test:3128';

const wayTo = async (url: string, page: RawResponse): Promise<string> => (await evaluatePac(page.body.toString()))(url);

describe('the pages for the automatic configuration of browsers', () => {
  afterEach(stopNodes);

  describe('on the forward proxy', () => {
    const ask = (node: RunningNode, method = 'GET', fields = {}): Promise<RawResponse> =>
      node.ask('proxy', method, '/proxy.pac', { Host: host, ...fields });

    it('name the proxy as the browser has reached it, at /proxy.pac and /wpad.dat', async () => {
      const node = await startNode();
      for (const path of ['/proxy.pac', '/wpad.dat']) {
        for (const [authority, named] of [
          [host, host],
          ['wpad', 'wpad:80'],
          ['[::1]:3128', '[::1]:3128'],
        ] as const) {
          const page = await node.ask('proxy', 'GET', path, { Host: authority });
          assert.equal(page.status, 200);
          assert.equal(await wayTo('http://www.example/', page), `PROXY ${named}; DIRECT`);
        }
      }
    });

    it('have the type that browsers want, and may be kept by one reader for a minute', async () => {
      const page = await ask(await startNode());
      assert.equal(page.get('content-type'), 'application/x-ns-proxy-autoconfig');
      assert.equal(page.get('cache-control'), 'private, max-age=60');
      assert.equal(page.get('content-disposition'), undefined);
      assert.equal(page.get('content-length'), String(page.body.length));
      assert.equal(page.get('date'), new Date(new FakeClock().now()).toUTCString());
    });

    it('are not sent again to who has them (RFC 9110 §13.1.2), until something in them changes', async () => {
      const node = await startNode();
      const page = await ask(node);
      const etag = page.get('etag') ?? '';
      assert.match(etag, /^"[\w-]{22}"$/);
      const same = await ask(node, 'GET', { 'If-None-Match': etag });
      assert.equal(same.status, 304);
      assert.equal(same.get('etag'), etag);
      assert.equal(same.body.length, 0);
      const other = await node.ask('proxy', 'GET', '/proxy.pac', { Host: 'other:3128', 'If-None-Match': etag });
      assert.equal(other.status, 200);
    });

    it('answer HEAD as GET, and nothing else', async () => {
      const node = await startNode();
      const [page, head] = [await ask(node), await ask(node, 'HEAD')];
      assert.deepEqual(
        [head.status, head.get('content-length'), head.get('etag')],
        [200, page.get('content-length'), page.get('etag')],
      );
      const post = await ask(node, 'POST', { 'Content-Length': '0' });
      assert.deepEqual([post.status, post.get('allow')], [405, 'GET, HEAD']);
    });

    it('are for those who may use the proxy', async () => {
      const node = await startNode({ access: { clients: ['192.0.2.0/24'] } });
      assert.equal((await ask(node)).status, 403);
    });

    it('name what the configuration says', async () => {
      const proxies = ['one.example:3128', 'self', '[2001:db8::1]:3129'];
      const pac = { proxies, direct: 'never', exceptions: ['*.corp.example', '198.51.100.0/24'] };
      const page = await ask(await startNode({ clientSide: { pac } }));
      const expected = `PROXY one.example:3128; PROXY ${host}; PROXY [2001:db8::1]:3129`;
      assert.equal(await wayTo('http://www.example/', page), expected);
      assert.equal(await wayTo('http://a.corp.example/', page), 'DIRECT');
      assert.equal(await wayTo('http://198.51.100.9/', page), 'DIRECT');
    });

    it('cannot be told to name what nobody can be sent to', async () => {
      for (const proxy of ['*:3128', '0.0.0.0:3128', 'one.example:0']) {
        await assert.rejects(startNode({ clientSide: { pac: { proxies: ['self', proxy] } } }), /pac\.proxies\[1\]/);
      }
    });

    it('are what the help page tells of', async () => {
      const page = await (await startNode()).ask('proxy', 'GET', '/', { Host: host });
      assert.match(page.body.toString(), new RegExp(`http://${host}/proxy\\.pac`));
    });
  });

  describe('on the public side', () => {
    const start = (config: Readonly<Record<string, unknown>>): Promise<RunningNode> =>
      startNode({ node: { name: 'willis', url: 'http://node.test' }, sites: [], ...config });
    const listen = (proxy: string | null) => ({ listen: { proxy, site: '127.0.0.1:0', admin: null } });

    it('are there under the authority of node.url alone (decision 6)', async () => {
      const node = await start({ clientSide: { pac: { proxies: ['one.example:3128'] } } });
      const page = await node.ask('site', 'GET', '/proxy.pac', { Host: 'node.test' });
      assert.equal(await wayTo('http://www.example/', page), 'PROXY one.example:3128; DIRECT');
      for (const other of ['other.test', 'node.test:81']) {
        assert.equal((await node.ask('site', 'GET', '/proxy.pac', { Host: other })).status, 421, other);
      }
    });

    it('leave the paths of a site to the site', async () => {
      const origin = await startOrigin(answer(200, {}, 'of the site'));
      const node = await start({ sites: [{ host: 'node.test', origin: origin.url('/') }] });
      const page = await node.ask('site', 'GET', '/wpad.dat', { Host: 'node.test' });
      assert.equal(page.body.toString(), 'of the site');
      await origin.close();
    });

    it('name the forward proxy by the name of the node, unless it is for this machine alone', async () => {
      const [port = 0, other = 0] = await freePorts(2);
      const open = await start(listen(`0.0.0.0:${port}`));
      const page = await open.ask('site', 'GET', '/proxy.pac', { Host: 'node.test' });
      assert.equal(await wayTo('http://www.example/', page), `PROXY node.test:${port}; DIRECT`);
      const local = await start(listen(`127.0.0.1:${other}`));
      assert.equal((await local.ask('site', 'GET', '/proxy.pac', { Host: 'node.test' })).status, 404);
    });

    it('are not there where the node is no proxy and none is named', async () => {
      const node = await start({ ...listen(null), roles: ['wlis'] });
      assert.equal((await node.ask('site', 'GET', '/proxy.pac', { Host: 'node.test' })).status, 404);
    });
  });
});
