import assert from 'node:assert/strict';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { namespaceLabel, parseNamespace } from '../../wlis/namespace.js';
import type { RawResponse } from '../support/raw-client.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';

const page = '<!doctype html><html><head><title>Page</title></head><body><a href="/other">Other</a></body></html>';

describe('pages of a replica as browsers see them', () => {
  let site: Replicating;
  let replica: Willis;
  let second: Willis;
  let label: string;

  before(async () => {
    site = await Replicating.start({ files: { 'a/page.html': page, 'a/text.txt': 'text' } });
    const names = ['replica-1', 'replica-2'];
    const listed = await Promise.all(names.map(async (name) => (await new KeyDirectory(site.path(name)).nodeKey()).id));
    await site.publish({ replicas: { accept: 'open', listed, browsers: listed } });
    replica = await site.replica();
    second = await site.replica();
    for (const node of [replica, second]) await site.inStep(node);
    label = namespaceLabel(parseNamespace(`${site.origin}/`));
    await until(async () => (await shown()).includes(urlOf(second)));
  });
  after(() => site.stop());

  const ask = (path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> =>
    replica.get(`/mirror/${label}/${path}`, { Host: `127.0.0.1:${replica.sitePort}`, ...fields });

  const toPage = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  const toFrame = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' };

  const shown = async (): Promise<string> => (await ask('a/page.html', toPage)).body.toString();

  it('name where the same bytes are, raw: at others who may be named to browsers, and at the primary', async () => {
    const links = [...(await shown()).matchAll(/<link rel="duplicate" href="([^"]+)"/g)].map(([, url]) => url);
    assert.deepEqual(links, [
      `${urlOf(second)}/.well-known/wlis/raw/${label}/a/page.html`,
      `${site.origin}/.well-known/wlis/raw/${label}/a/page.html`,
    ]);
  });

  it('offer the same page in the mirrors of others, and under its own name', async () => {
    const links = [...(await shown()).matchAll(/<a href="(http[^"]+)"/g)].map(([, url]) => url);
    assert.deepEqual(links, [`${urlOf(second)}/mirror/${label}/a/page.html`, `${site.origin}/a/page.html`]);
  });

  it('have links that work in the mirror; those in frames have nothing else', async () => {
    assert.ok((await shown()).includes(`<a href="/mirror/${label}/other">Other</a>`), 'in a page');
    const frame = (await ask('a/page.html', toFrame)).body.toString();
    assert.equal(frame, page.replace('/other', `/mirror/${label}/other`));
  });

  it('have an entity-tag of their own, by which they are confirmed', async () => {
    const view = await ask('a/page.html', toPage);
    const tag = view.get('etag') ?? '';
    assert.match(tag, /^"view-/);
    assert.equal(view.get('cache-control'), 'private, no-cache');
    assert.equal((await ask('a/page.html', { ...toPage, 'If-None-Match': tag })).status, 304);
    assert.equal(view.get('repr-digest'), undefined);
  });

  it('stay as they are for everybody who does not go to them with a browser', async () => {
    const others: Readonly<Record<string, string>>[] = [
      {},
      { ...toPage, 'Cache-Control': 'no-transform' },
      { ...toPage, 'WLIS-Have': `"${site.origin}/";group=1;seq=1` },
      { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
    ];
    for (const fields of others) {
      assert.equal((await ask('a/page.html', fields)).body.toString(), page, JSON.stringify(fields));
    }
    const host = { Host: new URL(site.origin).host, ...toPage };
    assert.equal((await replica.get('/a/page.html', host)).body.toString(), page, 'under the name of the namespace');
    const raw = await replica.get(`/.well-known/wlis/raw/${label}/a/page.html`, toPage);
    assert.equal(raw.body.toString(), page);
    const byProxy = await replica.get(`${urlOf(replica)}/mirror/${label}/a/page.html`, toPage);
    assert.equal(byProxy.body.toString(), page, 'with an absolute target');
    assert.equal((await ask('a/text.txt', toPage)).body.toString(), 'text');
  });

  it('lead to what names stand for that only Willis knows: in a mirror, if that is shown there', async () => {
    const named = `<a href="http://book.wlis/page.html">a</a><a href="http://far.wlis/">b</a><a href="http://no.wlis/">c</a>`;
    await site.write('named.html', page.replace('</body>', `${named}</body>`));
    await site.published('/named.html', page.replace('</body>', `${named}</body>`));
    await site.inStep(replica);
    await replica.reload({
      wlis: { names: { book: `${site.origin}/a/`, far: 'http://far.example/x/' }, trust: { firstUse: true } },
    });
    const frame = (await ask('named.html', toFrame)).body.toString();
    const links = [...frame.matchAll(/<a href="([^"]+)"/g)].map(([, url]) => url);
    const here = `/mirror/${label}/`;
    assert.deepEqual(links, [`${here}other`, `${here}a/page.html`, 'http://far.example/x/', 'http://no.wlis/']);
  });

  it('are those of the page as it is now', async () => {
    const before = await ask('a/page.html', toPage);
    await site.write('a/page.html', page.replace('Other<', 'Changed<'));
    await site.published('/a/page.html', page.replace('Other<', 'Changed<'));
    await site.inStep(replica);
    const after = await ask('a/page.html', { ...toPage, 'If-None-Match': before.get('etag') ?? '' });
    assert.equal(after.status, 200);
    assert.match(after.body.toString(), /Changed</);
  });

  it('at a primary they are not changed but for their links', async () => {
    const primary = await site.primary.reload({ node: { mirrorDomain: 'm.example' } }).then(() => site.primary);
    const answer = await primary.get('/a/text.txt', { Host: `${label}.m.example`, ...toPage });
    assert.equal(answer.status, 200);
    const own = await primary.get('/a/page.html', { Host: `${label}.m.example`, ...toPage });
    assert.doesNotMatch(own.body.toString(), /willis-bar|duplicate/);
  });
});
