import assert from 'node:assert/strict';
import { assertSame, clientSections, Constellation } from '../support/constellation.js';
import type { RawResponse } from '../support/raw-client.js';
import { RunningClock } from '../support/running-clock.js';
import { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

const page = (name: string): string =>
  `<!doctype html>\n<html><head><meta charset="utf-8"><title>${name}</title></head>\n<body><h1>${name}</h1></body></html>\n`;

const files = {
  ...{ 'a.html': page('A'), 'b.html': page('B'), 'c.txt': 'C' },
  ...{ 'piece.html': '<p>A piece for a script.</p>\n', 'script.js': '"use strict";\n' },
};

/** As browsers go to a page, and as they do over plain http. */
const navigation = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', Accept: 'text/html' };
const plain = { 'Upgrade-Insecure-Requests': '1', Accept: 'text/html,*/*;q=0.8' };

const isView = ({ body }: RawResponse): boolean => body.includes('<willis-bar');

describe('views of pages at a client-side proxy', () => {
  let all: Constellation;

  const withBar = { clientSide: { patience: '1s', html: { bar: true } } };

  beforeEach(async () => {
    all = await Constellation.start({ files, client: { ...withBar, cache: { memory: '64MiB' } } });
    await until(async () => isView(await all.get('a.html', navigation)));
  });
  afterEach(() => all.close());

  it('are what browsers get, by an entity-tag of their own, and nobody keeps them but for the one who asked', async () => {
    for (const fields of [navigation, plain]) {
      const view = await all.get('a.html', fields);
      assert.ok(isView(view), 'with a bar');
      assert.equal(view.get('cache-control'), 'private, no-cache');
      const again = await all.get('a.html', { ...fields, 'If-None-Match': view.get('etag') ?? '' });
      assert.deepEqual([again.status, again.get('etag')], [304, view.get('etag')]);
      const without = ['repr-digest', 'digest', 'content-digest', 'accept-ranges', 'link', 'expires'];
      for (const { fields: got } of [view, again]) {
        const names = got.map(([name]) => name.toLowerCase());
        assert.deepEqual(
          names.filter((name) => without.includes(name) || name.startsWith('wlis-')),
          [],
        );
      }
    }
  });

  it('are counted', async () => {
    const counted = async (): Promise<string[]> => {
      const { body } = await all.client.ask({ method: 'GET', target: '/metrics', host: 'localhost', side: 'admin' });
      const lines = body.toString().split('\n');
      return lines.filter((line) =>
        /^willis_views_(?:total\{from="store"|not_made_total\{reason="fragment"|under_way)/.test(line),
      );
    };
    const [before = ''] = await counted();
    for (let i = 0; i < 3; i++) await all.get('a.html', navigation);
    await all.get('piece.html', navigation);
    const stored = Number(before.split(' ')[1] ?? 0);
    assert.deepEqual(await counted(), [
      `willis_views_total{from="store"} ${stored + 3}`,
      'willis_views_not_made_total{reason="fragment"} 1',
      'willis_views_under_way 0',
    ]);
  });

  it('are not what anybody else gets: that is the original, byte for byte', async () => {
    const { site } = all;
    const others: Record<string, Record<string, string>> = {
      curl: { Accept: '*/*', 'User-Agent': 'curl/8.0' },
      script: { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
      'somebody who forbids changes': { ...navigation, 'Cache-Control': 'no-transform' },
      'another proxy': { ...navigation, Via: '1.1 squid' },
      'another node': { ...navigation, 'WLIS-Have': `"${site.namespace}";n=1` },
      'a service worker': { ...navigation, 'Service-Worker': 'script' },
      'an object': { ...navigation, 'Sec-Fetch-Dest': 'object' },
    };
    const truth = await all.truth('a.html');
    for (const [who, fields] of Object.entries(others)) {
      const answer = await all.get('a.html', fields);
      assert.equal(answer.status, 200, who);
      assert.deepEqual([answer.body.toString(), answer.get('etag')], [files['a.html'], truth.get('etag')], who);
    }
    const head = await all.get('a.html', navigation, 'HEAD');
    assert.deepEqual([head.get('etag'), head.get('content-length')], [truth.get('etag'), `${files['a.html'].length}`]);
    const part = await all.get('a.html', { ...navigation, Range: 'bytes=0-14' });
    assert.deepEqual([part.status, part.body.toString()], [206, '<!doctype html>']);
  });

  it('are of pages alone: what is none is as it was, and so is what there is not', async () => {
    for (const path of ['c.txt', 'script.js', 'piece.html', 'missing.html'])
      assertSame(await all.get(path, navigation), await all.get(path), path);
  });

  it('are made of the stored original, and are there when nobody else is', async () => {
    const before = await all.get('a.html', navigation);
    for (const { front } of all.site.nodes) front.mode = 'reset';
    const view = await all.get('a.html', navigation);
    assert.deepEqual([view.status, view.body], [200, before.body]);
    assert.match(view.get('cache-status') ?? '', /hit/);
  });

  it('are not made a second time by a client-side proxy whose parent is another one, which it finds no fault with', async () => {
    const proxy = { url: `http://127.0.0.1:${all.client.running.port('proxy')}` };
    const outer = await SiteNode.make({
      ...{ name: 'outer', isProcess: false, clock: new RunningClock() },
      config: { ...clientSections([all.primary.front.url]), ...withBar, upstream: { proxy, noProxy: [] } },
    });
    try {
      await outer.start();
      const get = (path: string, fields = {}): Promise<RawResponse> =>
        outer.ask({ method: 'GET', target: all.site.namespace + path, host: all.site.host, side: 'proxy', fields });
      assert.equal((await get('b.html', plain)).status, 200);
      await until(async () => isView(await get('b.html', navigation)));
      const bars = (await get('b.html', navigation)).body.toString().match(/<willis-bar/g);
      assert.equal(bars?.length, 1);
      for (const path of ['a.html', 'b.html', 'c.txt']) {
        for (let i = 0; i < 3; i++) assert.equal((await get(path)).body.toString(), files[path as keyof typeof files]);
      }
      const blamed = outer.events.filter(({ code }) => code === 'wlis-refused');
      assert.deepEqual(blamed, []);
    } finally {
      await outer.close();
    }
  });

  it('are purged with their pages', async () => {
    const purge = await all.client.ask({
      ...{ method: 'POST', target: '/api/purge', host: 'localhost', side: 'admin' },
      fields: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ uri: `${all.site.namespace}a.html`, hard: true }),
    });
    assert.equal(purge.status, 200, purge.body.toString());
    for (const { front } of all.site.nodes) front.mode = 'reset';
    const answer = await all.get('a.html', navigation);
    assert.ok(answer.status >= 500 && !answer.body.includes('<h1>A</h1>'), `${answer.status}`);
  });

  it('follow their page: an edit is seen with the next confirmation', async () => {
    const before = await all.get('b.html', navigation);
    assert.ok(before.body.includes('<h1>B</h1>'), 'as it was');
    await all.site.put('b.html', page('Better'));
    await all.site.published();
    await all.site.inStep();
    await until(async () => {
      const { body } = await all.get('b.html', { ...navigation, 'Cache-Control': 'no-cache' });
      return body.includes('<h1>Better</h1>');
    });
    const after = await all.get('b.html', navigation);
    assert.ok(isView(after) && after.body.includes('<h1>Better</h1>'), 'a view of what it is now');
    assert.notEqual(after.get('etag'), before.get('etag'));
  });
});
