import assert from 'node:assert/strict';
import { namespaceLabel, parseNamespace } from '../../wlis/namespace.js';
import { answer } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { until } from '../support/waiting.js';
import type { Sections, Willis } from '../support/willis.js';

const files = {
  'index.html': '<!doctype html><title>Home</title><a href="/deep/page.html">Page</a>',
  'deep/page.html': '<!doctype html><title>Page</title>',
  'style.css': 'h1 { color: green }',
  '404.html': '<!doctype html><title>No such page here</title>',
};

const redirects = [
  { from: 'old', to: 'deep/page.html' },
  { from: 'away', to: 'http://elsewhere.example/x' },
];

const headers = [
  {
    match: '**',
    set: {
      'Content-Security-Policy': "default-src 'self'",
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'X-Frame-Options': 'SAMEORIGIN',
      'Accept-CH': 'Downlink',
      Link: '</style.css>; rel=preload; as=style',
      Refresh: '60; url=/deep/page.html',
    },
  },
];

describe('namespaces as browsers see them at a replica', () => {
  let site: Replicating;
  let replica: Willis;
  let label: string;
  let own: string;

  afterEach(() => site.stop());

  /** A replica that holds everything. */
  async function start(config: Sections = {}): Promise<void> {
    site = await Replicating.start({ files, keys: { redirects, headers } });
    replica = await site.replica({}, config);
    await site.inStep(replica);
    label = namespaceLabel(parseNamespace(`${site.origin}/`));
    own = `127.0.0.1:${replica.sitePort}`;
  }

  const ask = (path: string, fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> =>
    replica.ask(method, path, { Host: own, ...fields });

  describe('below /mirror/', () => {
    it('documents are in a sandbox, and nothing in their fields reaches beyond them', async () => {
      await start();
      const answer = await ask(`/mirror/${label}/`, { Cookie: 'a=b', Authorization: 'Basic eDp5' });
      assert.equal(answer.status, 200);
      assert.match(
        answer.body.toString(),
        /^<!doctype html><title>Home<\/title><a href="\/deep\/page.html">Page<\/a>$/,
      );
      assert.deepEqual(answer.all('content-security-policy'), [
        "default-src 'self'",
        'sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads',
      ]);
      assert.deepEqual(answer.all('x-content-type-options'), ['nosniff']);
      assert.deepEqual(answer.all('access-control-allow-origin'), ['*']);
      assert.deepEqual(answer.all('cross-origin-resource-policy'), ['cross-origin']);
      for (const name of ['cross-origin-opener-policy', 'x-frame-options', 'accept-ch', 'set-cookie']) {
        assert.equal(answer.get(name), undefined, name);
      }
      assert.ok(
        answer.all('link').includes(`</mirror/${label}/style.css>; rel=preload; as=style`),
        'a link from the root',
      );
      assert.equal(answer.get('refresh'), `60; url=/mirror/${label}/deep/page.html`);
    });

    it('documents that lead elsewhere lead within the mirror, and out of it to where they led', async () => {
      await start();
      const inside = await ask(`/mirror/${label}/old`);
      assert.deepEqual([inside.status, inside.get('location')], [301, `/mirror/${label}/deep/page.html`]);
      const outside = await ask(`/mirror/${label}/away`);
      assert.deepEqual([outside.status, outside.get('location')], [301, 'http://elsewhere.example/x']);
      const slash = await ask(`/mirror/${label}`);
      assert.deepEqual([slash.status, slash.get('location')], [307, `/mirror/${label}/`]);
    });

    it('what is not there is answered as the namespace answers it', async () => {
      await start();
      const answer = await ask(`/mirror/${label}/nothing`);
      assert.equal(answer.status, 404);
      assert.match(answer.body.toString(), /No such page here/);
      assert.equal(answer.all('content-security-policy').length, 2);
    });

    it('dot segments, however written, lead as far as they do in browsers, and no further', async () => {
      await start();
      const other = namespaceLabel(parseNamespace('http://other.example/'));
      assert.equal((await ask(`/mirror/${label}/deep/../style.css`)).status, 200);
      assert.equal((await ask(`/mirror/${label}/deep/%2e%2E/style.css`)).status, 200);
      assert.equal((await ask(`/mirror/${label}/../${label}/style.css`)).status, 200);
      assert.equal((await ask(`/mirror/${label}/..%2f..%2fstyle.css`)).status, 404);
      for (const path of [`/mirror/${label}/../style.css`, `/mirror/${other}/`, `/mirror/${label.toUpperCase()}/`]) {
        const answer = await ask(path);
        assert.deepEqual([answer.status, answer.get('wlis-namespace')], [404, undefined], path);
      }
      // above it nobody is at home
      assert.equal((await ask(`/mirror/${label}/../../style.css`)).status, 421);
      assert.equal((await ask(`/mirror/${label}/%00`)).status, 400);
      assert.equal((await ask(`/mirror/${label}/a%5Cb`)).status, 400);
      const wellKnown = await ask(`/mirror/${label}/.well-known/acme`);
      assert.deepEqual([wellKnown.status, wellKnown.get('location')], [307, `${site.origin}/.well-known/acme`]);
    });

    it('what another namespace has that lies within leads to that, however its path is spelled', async () => {
      await start();
      const [url, directory] = [`${site.origin}/deep/`, site.path('nested')];
      await site.write('page.html', 'nested', directory);
      await site.replicate(replica, {}, { primary: { namespaces: [{ url, directory }] } });
      const nested = namespaceLabel(parseNamespace(url));
      await until(async () => (await ask(`/mirror/${nested}/page.html`)).body.toString() === 'nested');
      for (const path of ['deep/page.html?q', '%64eep/page.html?q', 'd%65ep/./page.html?q']) {
        const answer = await ask(`/mirror/${label}/${path}`);
        assert.deepEqual([answer.status, answer.get('location')], [307, `/mirror/${nested}/page.html?q`], path);
      }
    });

    it('raw documents reach no further, and pages of this origin cannot run them, as far as browsers say so', async () => {
      await start();
      const raw = (name: string, fields = {}): Promise<RawResponse> =>
        ask(`/.well-known/wlis/raw/${label}/${name}`, fields);
      const answer = await raw('');
      assert.deepEqual([answer.status, answer.get('accept-ch')], [200, undefined]);
      assert.equal(answer.get('refresh'), '60; url=/deep/page.html', 'the rest is as it is proven');
      const from = (site: string, destination: string): Promise<RawResponse> =>
        raw('style.css', { 'Sec-Fetch-Site': site, 'Sec-Fetch-Dest': destination });
      for (const destination of ['script', 'style', 'worker', 'object', 'embed'])
        assert.equal((await from('same-origin', destination)).status, 403, destination);
      assert.equal((await from('same-origin', 'document')).status, 200);
      assert.equal((await from('cross-site', 'script')).status, 200, 'of a raw page, which is of no origin');
    });

    it('nothing is changed there, and no script becomes a service worker', async () => {
      await start();
      const posted = await ask(`/mirror/${label}/form`, {}, 'POST');
      assert.deepEqual([posted.status, posted.get('allow')], [405, 'GET, HEAD, OPTIONS']);
      assert.match(posted.body.toString(), new RegExp(`${site.origin}/form`));
      assert.equal((await ask(`/mirror/${label}/style.css`, { 'Service-Worker': 'script' })).status, 403);
      const head = await ask(`/mirror/${label}/`, {}, 'HEAD');
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      const preflight = await ask(`/mirror/${label}/style.css`, { Origin: 'null' }, 'OPTIONS');
      assert.deepEqual([preflight.status, preflight.get('access-control-allow-origin')], [204, '*']);
    });

    it('it is there under the authority of node.url alone, in whatever form it is asked for', async () => {
      await start();
      const path = `/mirror/${label}/style.css`;
      for (const host of ['127.0.0.1', `localhost:${replica.sitePort}`, new URL(site.origin).host]) {
        assert.notEqual((await ask(path, { Host: host })).status, 200, host);
      }
      assert.equal((await ask(`http://${own}${path}`, { Host: 'other.example' })).status, 200);
      assert.equal((await ask(`http://other.example${path}`)).status, 421);
    });

    it('a request of HTTP/1.0 without Host is for the address that it came to', async () => {
      await start();
      const client = await replica.connect();
      client.send(`GET /mirror/${label}/style.css HTTP/1.0\r\n\r\n`);
      assert.equal((await client.receive()).status, 200);
    });

    it('all that is held is listed, as a page without scripts', async () => {
      await start();
      const index = await ask('/mirror/');
      assert.equal(index.status, 200);
      assert.match(index.body.toString(), new RegExp(`<a href="${label}/">${site.origin}/</a>`));
      assert.equal((await ask('/mirror/', {}, 'POST')).status, 405);
    });

    it('an upgrade is not made there', async () => {
      await start();
      const answer = await ask(`/mirror/${label}/style.css`, { Connection: 'Upgrade', Upgrade: 'websocket' });
      assert.equal(answer.status, 200);
    });

    it('decision 6: where node.url is the name of a site too, others are not shown there, and the log says why', async () => {
      await start();
      await replica.reload({ sites: [{ host: '127.0.0.1', origin: replica.origin.url('/') }] });
      const closed = await ask(`/mirror/${label}/`);
      assert.equal(closed.status, 421);
      assert.match(closed.body.toString(), /the site 127\.0\.0\.1 has this name too/);
      assert.deepEqual(
        replica.events.filter(({ code }) => code === 'mirror-closed').map(({ namespaces }) => namespaces),
        [[`${site.origin}/`]],
      );
      replica.serve(answer(200, {}, 'of the site'));
      assert.equal((await ask('/mirror/')).body.toString(), 'of the site');
      await replica.reload({ sites: [] });
      assert.equal((await ask(`/mirror/${label}/`)).status, 200);
    });

    it('a namespace under the authority of node.url itself is read there, and nowhere else', async () => {
      await start();
      const answer = await site.primary.get(`/mirror/${label}/style.css?a`, { Host: new URL(site.origin).host });
      assert.deepEqual([answer.status, answer.get('location')], [307, `${site.origin}/style.css?a`]);
      assert.equal((await site.visit('/mirror/')).status, 404);
    });
  });

  describe('under a name of their own', () => {
    const node = { node: { mirrorDomain: 'm.example' } };

    it('documents are where they are at their origin, with an origin of their own', async () => {
      await start();
      await replica.reload(node);
      const host = `${label}.m.example:${replica.sitePort}`;
      const answer = await ask('/deep/page.html', { Host: host });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.all('content-security-policy'), ["default-src 'self'"]);
      assert.deepEqual(answer.all('origin-agent-cluster'), ['?1']);
      assert.equal(answer.get('x-frame-options'), 'SAMEORIGIN');
      const redirect = await ask('/old', { Host: host });
      assert.equal(redirect.get('location'), '/deep/page.html');
      assert.equal((await ask('/style.css', { Host: host, 'Service-Worker': 'script' })).status, 403);
      assert.equal((await ask('/style.css', { Host: `${label.toUpperCase()}.M.EXAMPLE` })).status, 200);
      assert.equal(
        (await ask('/.well-known/wlis/node', { Host: host })).get('location'),
        `${site.origin}/.well-known/wlis/node`,
      );
      for (const other of ['x.m.example', `x.${label}.m.example`, `${label.slice(1)}.m.example`]) {
        assert.equal((await ask('/style.css', { Host: other })).status, 404, other);
      }
      assert.equal((await ask('/style.css', { Host: 'm.example' })).status, 421);
    });

    it('on this machine the name is <label>.localhost', async () => {
      await start();
      assert.equal((await ask('/style.css', { Host: `${label}.localhost:${replica.sitePort}` })).status, 200);
      await replica.reload({ access: { trustedProxies: ['127.0.0.1'] } });
      const elsewhere = { Host: `${label}.localhost`, 'X-Forwarded-For': '192.0.2.1' };
      assert.equal((await ask('/style.css', elsewhere)).status, 421);
    });
  });

  it('what only the primary has is to be had there, to which the answer leads', async () => {
    await start({ sites: [] });
    const waiting = await site.replica({ url: `${site.origin}/`, from: 'http://127.0.0.1:1' });
    const answer = await waiting.get(`/mirror/${label}/x?y`, { Host: new URL(urlOf(waiting)).host });
    assert.deepEqual([answer.status, answer.get('location')], [307, `${site.origin}/x?y`]);
  });

  it('rules of access for the name of a namespace hold for its mirrors too', async () => {
    await start();
    const rules = [{ action: 'deny', sides: ['site'], hosts: ['127.0.0.1'], paths: ['/deep/**'] }];
    await replica.reload({ access: { rules } });
    assert.equal((await ask(`/mirror/${label}/deep/page.html`)).status, 403);
    assert.equal((await ask(`/mirror/${label}/style.css`)).status, 200);
  });

  it('rule 13: a namespace of https is shown over TLS alone, be it that somebody else ends that for this node; or to this machine', async () => {
    site = await Replicating.start({ files, keys: { url: 'https://docs.example/' } });
    const { primary } = site;
    const secret = namespaceLabel(parseNamespace('https://docs.example/'));
    const host = new URL(site.origin).host;
    const status = async (asked: string, path: string): Promise<number> =>
      (await primary.get(path, { Host: asked })).status;
    const below = `/mirror/${secret}/style.css`;
    assert.equal(await status(host, below), 421);
    assert.doesNotMatch((await primary.get('/mirror/', { Host: host })).body.toString(), /docs\.example/);
    await until(async () => (await status(`${secret}.localhost`, '/style.css')) === 200);
    await primary.reload({ node: { mirrorDomain: 'm.example' } });
    assert.equal(await status(`${secret}.m.example`, '/style.css'), 421);
    await primary.reload({ access: { trustedProxies: ['127.0.0.1'] } });
    const overTls = { 'X-Forwarded-Proto': 'https' };
    assert.equal((await primary.get('/style.css', { Host: `${secret}.m.example`, ...overTls })).status, 200);
    await primary.reload({ access: { trustedProxies: [] }, node: { url: `https://${host}` } });
    assert.equal(await status(host, below), 200);
    assert.equal(await status(`${secret}.m.example`, '/style.css'), 200);
  });
});
