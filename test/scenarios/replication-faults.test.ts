import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

describe('Nodes of a group fail, and nothing is lost', function () {
  this.timeout(90_000);
  let site: ReplicatedSite;

  afterEach(() => site.close());

  it('rule 1: a primary that is killed while it publishes goes on with all that it told of', async () => {
    site = await ReplicatedSite.make({ isProcess: true });
    await site.put('index.html', 'top');
    await site.primary.start();
    await site.published();
    const replica = await site.addReplica({ keys: { pollEvery: '1s' } });
    await replica.start();
    await site.inStep();
    for (let round = 1; round <= 3; round++) {
      const before = versionOf(await replica.report());
      for (let i = 0; i < 150; i++) await site.put(`round${round}/${i}.txt`, `${round} ${i} ${'x'.repeat(2000)}`);
      await until(async () => versionOf(await replica.report()).seq > before.seq);
      const told = versionOf(await replica.report());
      await site.primary.kill();
      await site.primary.start();
      await site.inStep();
      const after = versionOf(await replica.report());
      if (after.epoch === told.epoch) assert.ok(after.seq >= told.seq, `number ${after.seq} after ${told.seq}`);
      else assert.ok(after.epoch > told.epoch, 'a later epoch');
    }
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 150; i += 7) {
        assert.equal(await site.text(replica, `round${round}/${i}.txt`), `${round} ${i} ${'x'.repeat(2000)}`);
      }
    }
  });

  it('a replica that is killed while it pulls goes on where it was, and pulls at most one block of a content twice', async () => {
    site = await ReplicatedSite.make();
    const block = 65_536;
    const content = randomBytes(200 * block);
    await site.put('index.html', 'top');
    await site.primary.start();
    await site.published();
    const replica = await site.addReplica({ isProcess: true, keys: { bandwidth: '2MiB/s' } });
    await replica.start();
    await site.inStep();
    await site.put('large.bin', content);
    await until(async () => (await replica.report()).bytes > 50 * block);
    const { bytes } = await replica.report();
    assert.equal((await site.get(replica, 'large.bin')).status, 404, 'nothing of it is visible yet');
    await replica.kill();
    await replica.start({ replicated: { namespaces: [{ url: site.namespace, from: site.primary.front.url }] } });
    await site.inStep();
    const { counters } = await replica.report();
    const most = content.length - bytes + block + 200 * 32;
    assert.ok(counters.bytesPulled <= most, `${counters.bytesPulled} bytes after ${bytes} of ${content.length}`);
    assert.ok((await site.get(replica, 'large.bin')).body.equals(content), 'the bytes');
  });

  it('a replica whose parent is killed goes to the node above that, and comes back to it later', async () => {
    const [parent, child] = await chain();
    await parent.kill();
    await changedAt(child, 'without its parent');
    assert.equal((await child.report()).parent, site.primary.front.url);
    await parent.start();
    await site.pullsFrom(child, parent);
    await changedAt(child, 'with its parent again');
    await changedAt(parent, 'at the parent as well');
  });

  it('a replica whose parent is stopped, so that it takes connections and says nothing, goes to the node above that', async () => {
    const [parent, child] = await chain();
    parent.process.signal('SIGSTOP');
    try {
      await changedAt(child, 'past its parent');
      assert.equal((await child.report()).parent, site.primary.front.url);
    } finally {
      parent.process.signal('SIGCONT');
    }
    await changedAt(parent, 'when it goes on');
  });

  it('a replica that nobody tells of changes finds them out by asking', async () => {
    site = await ReplicatedSite.make();
    await site.put('page.txt', 'first');
    await site.primary.start();
    await site.published();
    const replica = await site.addReplica({ keys: { pollEvery: '1s' } });
    replica.front.loses = (request) => request.startsWith('GET /.well-known/wlis/changed?');
    await replica.start();
    await site.inStep();
    for (const text of ['second', 'third']) await changedAt(replica, text);
    assert.equal((await replica.report()).counters.notificationsReceived, 0);
    await until(async () => (await site.primary.report()).counters.notificationsFailed >= 2);
  });

  it('one that was cut off serves what it has, and gets in step when the way is there again', async () => {
    site = await ReplicatedSite.make();
    await site.put('page.txt', 'first');
    await site.primary.start();
    await site.published();
    const replica = await site.addReplica({ keys: { pollEvery: '1s' } });
    await replica.start();
    await site.inStep();
    for (let time = 0; time < 2; time++) {
      site.primary.front.mode = 'reset';
      const before = await site.text(replica, 'page.txt');
      await site.put('page.txt', `after ${before}`);
      await site.published();
      await until(async () => (await replica.report()).state === 'cut-off');
      assert.equal(await site.text(replica, 'page.txt'), before);
      site.primary.front.mode = 'pass';
      await site.inStep();
      assert.equal(await site.text(replica, 'page.txt'), `after ${before}`);
    }
  });

  /** A primary, a replica in a process of its own, and a replica below that. */
  async function chain(): Promise<readonly [parent: SiteNode, child: SiteNode]> {
    site = await ReplicatedSite.make({ keys: { replicas: { fanOut: 1 } } });
    await site.put('page.txt', 'first');
    await site.primary.start();
    await site.published();
    const keys = { pollEvery: '1s', patience: '2s' };
    await site.startChain(1, { isProcess: true, keys });
    await site.startChain(1, { keys });
    return site.replicas as [SiteNode, SiteNode];
  }

  async function changedAt(node: SiteNode, text: string): Promise<void> {
    await site.put('page.txt', text);
    await until(async () => (await site.text(node, 'page.txt')) === text);
  }
});

const versionOf = ({ version }: { readonly version: { readonly epoch: string; readonly seq: number } | null }) =>
  version ?? { epoch: '', seq: 0 };
