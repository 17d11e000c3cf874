import assert from 'node:assert/strict';
import { parseNamespace } from '../../wlis/namespace.js';
import { Constellation, startDirectory } from '../support/constellation.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import type { RawResponse } from '../support/raw-client.js';

describe('What nodes know of namespaces', function () {
  this.timeout(30_000);
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  const start = async (options: Partial<Parameters<typeof Constellation.start>[0]> = {}): Promise<Constellation> => {
    const all = await Constellation.start({ files: { 'page.html': 'the page\n' }, replicas: 1, ...options });
    opened.push(all);
    return all;
  };

  const call = (node: SiteNode, path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> =>
    node.ask({
      ...{ method: 'GET', target: `/.well-known/wlis/${path}`, host: node.front.authority, side: 'site', fields },
    });

  const groupAt = async (node: SiteNode, namespace: string): Promise<string | null> => {
    const { status, body } = await call(node, `group?namespace=${encodeURIComponent(namespace)}`);
    return status === 200 ? Buffer.from(body.toString().split('.')[1] ?? '', 'base64url').toString() : null;
  };

  it('a node that knows only the URL of the primary knows the group after one page, and after a restart without the primary', async () => {
    const all = await start();
    const before = await all.get('page.html');
    assert.equal(before.body.toString(), 'the page\n');
    await all.learned('page.html');
    await all.client.stop();
    await all.primary.stop();
    await all.client.start();
    const after = await all.get('page.html');
    assert.equal(after.status, 200);
    assert.equal(after.body.toString(), 'the page\n');
  });

  it('a directory learns from a primary what it publishes, and tells others where it can be had', async () => {
    const all = await start({ hasDirectory: true, replicas: 2 });
    const directory = all.directory as SiteNode;
    const { namespace } = all.site;
    await until(async () => (await groupAt(directory, namespace)) !== null);
    const resolved = await call(directory, `resolve?uri=${encodeURIComponent(`${namespace}page.html`)}`);
    assert.equal(resolved.status, 200);
    const told = JSON.parse(resolved.body.toString()) as { namespace: string; at: { url: string; raw: string }[] };
    assert.equal(told.namespace, parseNamespace(namespace));
    await until(async () => {
      const { body } = await call(directory, `resolve?uri=${encodeURIComponent(`${namespace}page.html`)}`);
      const { at } = JSON.parse(body.toString()) as { at: { url: string; role: string }[] };
      return at.length === 3 && at.at(-1)?.role === 'primary';
    });
    const redirected = await call(directory, `redirect/${namespace}page.html`);
    assert.equal(redirected.status, 307);
    const place = redirected.fields.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? '';
    assert.ok(place.startsWith(`${all.primary.front.url}/.well-known/wlis/raw/`), place);
    const elsewhere = await call(directory, 'redirect/http://victim.example/page.html');
    assert.equal(elsewhere.status, 404);
  });

  it('two directories tell each other what they have learned, whichever of them asked the primary', async () => {
    const all = await start({ hasDirectory: true });
    const other = await startDirectory([(all.directory as SiteNode).front.url]);
    opened.push(other);
    await until(async () => (await groupAt(other, all.site.namespace)) !== null);
    const added = await all.site.addReplica();
    await added.start();
    await all.site.inStep([added]);
    await until(async () => (await groupAt(other, all.site.namespace))?.includes(added.front.url) === true);
  });
});
