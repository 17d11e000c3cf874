import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

describe('Decision 11: a primary that does not know its former state begins a new epoch', function () {
  this.timeout(60_000);
  let site: ReplicatedSite;
  let replica: SiteNode;

  beforeEach(async () => {
    site = await ReplicatedSite.make();
    for (let i = 0; i < 40; i++) await site.put(`pages/${i}.bin`, randomBytes(20_000));
    await site.put('page.txt', '1');
    await site.primary.start();
    await site.published();
    replica = await site.addReplica({ keys: { pollEvery: '1s' } });
    await replica.start();
    await site.inStep();
  });

  afterEach(() => site.close());

  it('a lost journal costs a comparison, and nothing is pulled again', async () => {
    const before = await epochOf(replica);
    const { counters } = await replica.report();
    await site.primary.stop();
    await rm(await journalOf(site.primary), { recursive: true });
    const sent = site.primary.front.back;
    await site.primary.start();
    await site.inStep();
    assert.ok((await epochOf(replica)) > before, 'a later epoch');
    assert.equal((await replica.report()).counters.bytesPulled, counters.bytesPulled);
    const back = site.primary.front.back - sent;
    assert.ok(back < 100_000, `${back} bytes for what has not changed`);
    assert.equal(await site.text(replica, 'page.txt'), '1');
  });

  it('what was removed while it had no journal is removed at the replicas, what was added is added', async () => {
    await site.primary.stop();
    await rm(await journalOf(site.primary), { recursive: true });
    await site.remove('pages/0.bin');
    await site.put('new.txt', 'new');
    await site.primary.start();
    await site.inStep();
    assert.equal(await site.text(replica, 'pages/0.bin'), '404');
    assert.equal(await site.text(replica, 'new.txt'), 'new');
  });

  it('an older copy of its data is found out by the heads that replicas have', async () => {
    await restored(() => Promise.resolve(undefined));
    assert.equal((await site.primary.logged('epoch-begun'))['code'], 'epoch-begun');
  });

  it('also if no replica was there when it started', async () => {
    await restored(async () => {
      await replica.stop();
      return async () => replica.start();
    });
    assert.equal((await site.primary.logged('epoch-begun'))['code'], 'epoch-begun');
  });

  /** Puts an older copy of the primary's data in place, after more was published than it knows of. */
  async function restored(meanwhile: () => Promise<(() => Promise<void>) | undefined>): Promise<void> {
    await site.primary.stop();
    const copy = `${site.primary.data.path}-copy`;
    await cp(site.primary.data.path, copy, { recursive: true });
    try {
      await site.primary.start();
      for (const n of [2, 3, 4]) {
        await site.put('page.txt', String(n));
        await site.inStep();
      }
      const before = await epochOf(replica);
      await site.primary.stop();
      await rm(site.primary.data.path, { recursive: true });
      await cp(copy, site.primary.data.path, { recursive: true });
      const after = await meanwhile();
      await site.put('page.txt', 'after');
      await site.primary.start();
      await site.published();
      await after?.();
      await until(async () => (await epochOf(replica)) > before);
      await site.inStep();
      assert.equal(await site.text(replica, 'page.txt'), 'after');
    } finally {
      await rm(copy, { recursive: true });
    }
  }
});

async function epochOf(node: SiteNode): Promise<string> {
  return (await node.report()).version?.epoch ?? '';
}

/** Where a primary keeps its list of changes. */
async function journalOf({ data }: SiteNode): Promise<string> {
  const names = await readdir(data.path, { recursive: true });
  const journal = names.find((name) => name.endsWith('/primary/journal'));
  if (journal === undefined) throw new Error('there is no journal');
  return join(data.path, journal);
}
