import assert from 'node:assert/strict';
import { clientSections, Constellation, startDirectory } from '../support/constellation.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import type { Sections, Willis } from '../support/willis.js';
import { needPrograms } from './programs.js';
import { SquidProxy } from './squid-proxy.js';

const files = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`page${n}.html`, `<h1>Page ${n}</h1>\n`]));

describe('A client-side proxy behind a cache of somebody else', function () {
  this.timeout(60_000);
  let squid: SquidProxy;
  let all: Constellation;
  let other: SiteNode;
  beforeEach(async function () {
    needPrograms(this, 'squid');
    squid = await SquidProxy.start();
    all = await Constellation.start({ files, hasDirectory: true });
    other = await startDirectory([all.directory?.front.url ?? '']);
  });
  afterEach(async () => {
    await (other as SiteNode | undefined)?.close();
    await (all as Constellation | undefined)?.close();
    await (squid as SquidProxy | undefined)?.close();
  });

  it('decision 15: learns the group from what the cache has stored, whomever that was sent to', async () => {
    const chained = { upstream: { proxy: { url: squid.url }, noProxy: [] } };
    const path = 'page0.html';
    for (let time = 0; time < 3; time++) {
      await all.forgetClient();
      await all.client.stop();
      await all.client.start({ ...clientSections([]), ...chained });
      assert.match((await all.get(path)).body.toString(), /Page 0/);
      await all.client.logged('namespace-learned');
      // one that knows the group already, so that nothing is added to its answers
      await all.get(path, { 'Cache-Control': 'no-cache' });
    }
  });

  it('decisions 3 and 15: knows the group after one page, after a restart too, and follows it without the primary', async () => {
    const [removed, stays] = all.replicas as readonly [SiteNode, SiteNode];
    await all.client.stop();
    const chained = { proxy: { url: squid.url }, noProxy: [] };
    const knowing = (peers: readonly string[]): Sections => ({
      ...clientSections(peers),
      ...{ upstream: chained, wlis: { trust: { firstUse: true }, peers, exchangeEvery: '1s' } },
    });
    await all.client.start(knowing([]));
    assert.match((await all.get('page0.html')).body.toString(), /Page 0/);
    await all.learned('page0.html');
    await all.client.stop();

    const added = await all.site.addReplica();
    await added.start();
    await all.site.inStep([added]);
    await (removed.running as Willis).reload({ replicated: { namespaces: [] } });
    await knowsOf(other, added, removed);
    await all.primary.stop();

    await all.client.start(knowing([other.front.url]));
    await readAll();
    // until it has asked the directory it goes by the group that it knew
    await until(async () => {
      const { body } = await all.client.ask({ method: 'GET', target: '/api/groups', host: 'localhost', side: 'admin' });
      return body.includes(added.front.url) && !body.includes(removed.front.url);
    });
    const before = all.rawRequests([removed]);
    // what is stored, and fresh, would be asked of nobody
    const anew = { 'Cache-Control': 'no-cache' };
    await readAll(anew);
    assert.ok(all.rawRequests([stays]) > 0, 'who stays is asked');
    stays.front.breakAll();
    stays.front.mode = 'reset';
    for (let time = 0; time < 3; time++) await readAll(anew);
    assert.ok(all.rawRequests([added]) > 0, 'who was added is asked');
    assert.equal(all.rawRequests([removed]), before, 'whoever has left the group is not asked');
  });

  async function readAll(fields: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const { status, body } = await all.get(path, fields);
      assert.equal(status, 200, path);
      assert.equal(body.toString(), content);
    }
  }

  /** Waits until a directory knows a group with one of them and without the other. */
  async function knowsOf(directory: SiteNode, added: SiteNode, removed: SiteNode): Promise<void> {
    const target = `/.well-known/wlis/group?namespace=${encodeURIComponent(all.site.namespace)}`;
    await until(async () => {
      const { status, body } = await directory.ask({
        ...{ method: 'GET', target, host: directory.front.authority, side: 'site' },
      });
      const payload = Buffer.from(body.toString().split('.')[1] ?? '', 'base64url').toString();
      return status === 200 && payload.includes(added.front.url) && !payload.includes(removed.front.url);
    });
  }
});
