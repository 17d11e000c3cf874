import assert from 'node:assert/strict';
import type { GroupReport, TrustReport } from '../../wlis/directory/directory-control.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { keyIdOf, parsePublicKey } from '../../wlis/trust/public-key.js';
import { Constellation, startDirectory } from '../support/constellation.js';
import { RunningClock } from '../support/running-clock.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import type { RawResponse } from '../support/raw-client.js';
import type { Willis } from '../support/willis.js';

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

  it('what was stored before a namespace was known is not taken for proven afterwards', async () => {
    const all = await start({ client: { cache: { memory: '16MiB' } } });
    const before = await all.get('page.html');
    assert.match(before.get('cache-status') ?? '', /fwd=uri-miss.*stored/);
    const { events } = all.client.running as Willis;
    await until(() => Promise.resolve(events.some(({ code }) => code === 'namespace-learned')));
    const after = await all.get('page.html');
    assert.match(after.get('cache-status') ?? '', /fwd=uri-miss.*(?:primary|replica) http/);
    const again = await all.get('page.html');
    assert.doesNotMatch(again.get('cache-status') ?? '', /uri-miss/);
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

  it('a node that has never seen the primary alive gets its documents, if it knows a directory and the root key', async () => {
    const all = await start({ hasDirectory: true });
    const directory = all.directory as SiteNode;
    const { namespace, primary } = all.site;
    await until(async () => (await groupAt(directory, namespace)) !== null);
    const origin = primary.front.url;
    const chain = JSON.parse((await call(directory, `root?origin=${encodeURIComponent(origin)}`)).body.toString()) as {
      statements: { payload: string }[];
    };
    const payload = Buffer.from(chain.statements[0]?.payload ?? '', 'base64url').toString();
    const { rootKey } = JSON.parse(payload) as { rootKey: string };
    await all.client.stop();
    await primary.stop();
    const roots = [{ origin, key: keyIdOf(parsePublicKey(rootKey, 'root')) }];
    const peers = [directory.front.url];
    await all.client.start({ wlis: { trust: { roots }, peers, exchangeEvery: '1h' } });
    const got = await all.get('page.html');
    assert.equal(got.body.toString(), 'the page\n');
    await all.client.stop();
    await all.client.data.remove();
    await all.client.start({ wlis: { trust: { roots: [] }, peers, exchangeEvery: '1h' } });
    assert.equal((await all.get('page.html')).status, 502, 'nobody founds a namespace but its own root');
  });

  it('whoever has left the group is not asked any more, once its statement is renewed', async () => {
    const all = await start({ replicas: 2, clientClock: new RunningClock() });
    const [leaves, stays] = all.replicas as readonly [SiteNode, SiteNode];
    await all.learned('page.html');
    await (leaves.running as Willis).reload({ replicated: { namespaces: [] } });
    await until(async () => (await groupAt(all.primary, all.site.namespace))?.includes(leaves.front.url) === false);
    // the group is stated for an hour, and to be asked for anew after some minutes of that
    all.client.options.clock.advance(10 * 60_000);
    await until(async () => {
      await all.get('page.html');
      const { body } = await all.client.ask({
        ...{ method: 'GET', target: '/api/groups', host: 'localhost', side: 'admin' },
      });
      const [group] = JSON.parse(body.toString()) as { replicas: { urls: string[] }[] }[];
      return group?.replicas.every(({ urls }) => !urls.includes(leaves.front.url)) === true;
    });
    const before = all.rawRequests([leaves]);
    for (let n = 0; n < 10; n++) assert.equal((await all.get('page.html')).status, 200);
    assert.equal(all.rawRequests([leaves]), before);
    assert.ok(all.rawRequests([stays, all.primary]) > 0, 'the others are asked');
  });

  it('the operator is told whom a node believes and why, and has it forget', async () => {
    const all = await start();
    await all.learned('page.html');
    const operator = (method: string, target: string, body = '') =>
      all.client.ask({
        ...{ method, target, host: 'localhost', side: 'admin', body },
        fields: body === '' ? {} : { 'Content-Type': 'application/json' },
      });
    const trust = JSON.parse((await operator('GET', '/api/trust')).body.toString()) as TrustReport;
    const origin = all.primary.front.url;
    assert.deepEqual(
      trust.authorities.map((one) => [one.origin, one.learnedBy, one.namespaces.map(({ namespace }) => namespace)]),
      [[origin, 'first-use', [all.site.namespace]]],
    );
    const about = encodeURIComponent(`${all.site.namespace}page.html`);
    const [group] = JSON.parse((await operator('GET', `/api/groups?uri=${about}`)).body.toString()) as GroupReport[];
    assert.equal(group?.namespace, all.site.namespace);
    assert.equal(group.replicas.length, 1);
    assert.equal((await operator('GET', '/api/groups?uri=http%3A%2F%2Felsewhere.example%2F')).status, 404);
    assert.equal((await operator('GET', '/api/groups?who=1')).status, 400);
    const metrics = (await operator('GET', '/metrics')).body.toString();
    assert.match(metrics, /^willis_directory_namespaces 1$/m);
    const forgotten = await operator('POST', '/api/trust/forget', JSON.stringify({ origin }));
    assert.deepEqual(JSON.parse(forgotten.body.toString()), { origin, wasKnown: true });
    assert.match((await operator('GET', '/metrics')).body.toString(), /^willis_directory_namespaces 0$/m);
    assert.equal((await operator('POST', '/api/trust/forget', '{}')).status, 400);
  });
});
