import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import { WatchingVisitor } from '../support/watching-visitor.js';

describe('What is changed at the primary is changed everywhere', function () {
  this.timeout(60_000);
  let site: ReplicatedSite;

  beforeEach(async () => {
    site = await ReplicatedSite.make({ keys: { replicas: { fanOut: 1 } } });
    await site.put('index.html', 'top');
    await site.put('count.txt', '0');
  });

  afterEach(() => site.close());

  const start = async (): Promise<readonly SiteNode[]> => {
    await site.primary.start();
    await site.published();
    return site.startChain(2);
  };

  it('rule 1: 200 changes in a row reach both levels, none is lost, and no document ever goes back', async () => {
    const replicas = await start();
    const visitors = replicas.map((node) => new WatchingVisitor(site, node, ['count.txt']));
    for (let i = 1; i <= 200; i++) {
      await site.put(`pages/${i}.txt`, `page ${i}`);
      await site.put('count.txt', String(i));
      if (i % 20 === 0) await site.published();
    }
    await site.inStep();
    for (const visitor of visitors) {
      const sights = await visitor.stop();
      const counts = sights.map(({ texts: [text] }) => Number(text));
      assert.deepEqual(
        counts,
        [...counts].sort((a, b) => a - b),
      );
      assert.equal(counts.at(-1), 200);
      const numbers = sights.map(({ seq }) => seq);
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b),
      );
    }
    const before = 3;
    for (const node of replicas) {
      const { documents, counters, version } = await node.report();
      assert.equal(documents, (await site.primary.report()).documents);
      assert.ok(
        counters.changes >= before + 200 && counters.changes <= (version?.seq ?? 0),
        `${counters.changes} changes`,
      );
      for (let i = 1; i <= 200; i++) assert.equal(await site.text(node, `pages/${i}.txt`), `page ${i}`);
    }
  });

  it('rule 2: of a release that a symlink leads to, nobody ever sees a part, however far behind a replica is', async () => {
    await site.release(releaseFiles(0));
    await site.primary.start();
    await site.published();
    await site.startChain(1);
    await site.startChain(1, { keys: { bandwidth: '1MiB/s' } });
    const paths = ['a.txt', 'b.txt', 'a.txt'];
    const visitors = site.nodes.map((node) => new WatchingVisitor(site, node, paths));
    for (let n = 1; n <= 24; n++) {
      await site.release(releaseFiles(n));
      if (n % 3 !== 0) await until(async () => (await site.text(site.primary, 'a.txt')) === String(n));
    }
    await site.inStep();
    for (const visitor of visitors) {
      const sights = await visitor.stop();
      assert.deepEqual(sights.at(-1)?.texts, ['24', '24', '24']);
      for (const { texts } of sights) {
        const [a, b, again] = texts.map(Number);
        if (a === again) assert.equal(b, lastEven(a ?? 0), `release ${a} has b of ${lastEven(a ?? 0)}, not of ${b}`);
      }
    }
  });

  it('rule 2: a replica that has missed several releases shows the last one as a whole, too', async () => {
    const files = (a: number, b: number): Record<string, string> => ({
      'a.txt': String(a),
      // the same long text for all that comes behind the number, so that only its first block is another one
      'b.txt': `${b} ${'b'.repeat(600_000)}`,
    });
    await site.release(files(1, 1));
    await site.primary.start();
    await site.published();
    const [replica] = (await site.startChain(1, { keys: { bandwidth: '256KiB/s' } })) as [SiteNode];
    site.primary.front.mode = 'reset';
    for (const [a, b] of [
      [2, 2],
      [3, 2],
      [4, 2],
    ] as const) {
      await site.release(files(a, b));
      await until(async () => (await site.text(site.primary, 'a.txt')) === String(a));
    }
    const visitor = new WatchingVisitor(site, replica, ['a.txt', 'b.txt', 'a.txt']);
    site.primary.front.mode = 'pass';
    await site.inStep();
    const sights = await visitor.stop();
    for (const { texts } of sights) {
      const [a, b, again] = texts.map((text) => Number(text.split(' ')[0]));
      assert.ok(a === 1 || a === 4, `release ${a} was skipped`);
      if (a === again) assert.equal(b, a === 1 ? 1 : 2, `a of release ${a} with b of release ${b}`);
    }
  });

  it('rule 3: what was removed is served nowhere any more, and is no document', async () => {
    const replicas = await start();
    await site.put('going.txt', 'here');
    await site.inStep();
    assert.deepEqual(await Promise.all(replicas.map((node) => site.text(node, 'going.txt'))), ['here', 'here']);
    await site.remove('going.txt');
    for (const node of site.nodes) await until(async () => (await site.text(node, 'going.txt')) === '404');
    await site.inStep();
  });

  it('decision 2: a document that was moved is not pulled again, nor are blocks that have not changed', async () => {
    const replicas = await start();
    const block = 65_536;
    const content = randomBytes(60 * block);
    await site.put('large.bin', content);
    await site.inStep();

    const moved = await bytesFor(replicas, async () => {
      await site.move('large.bin', 'elsewhere/moved.bin');
      await until(async () => (await site.get(replicas[1] as SiteNode, 'elsewhere/moved.bin')).status === 200);
    });
    assert.ok(moved.sent < block, `${moved.sent} bytes for a moved document`);
    assert.equal(moved.pulled, 0);
    assert.equal(moved.spared, replicas.length * content.length);

    const edited = Buffer.concat([content.subarray(0, 30 * block), randomBytes(block), content.subarray(31 * block)]);
    const changed = await bytesFor(replicas, () => site.put('elsewhere/moved.bin', edited));
    assert.ok(changed.sent < 2 * (block + 40_000), `${changed.sent} bytes for a changed block at two replicas`);
    const listOfBlocks = 60 * 32;
    assert.equal(changed.pulled, 2 * (block + listOfBlocks));
    assert.equal(changed.spared, 2 * 59 * block);
    for (const node of replicas)
      assert.ok((await site.get(node, 'elsewhere/moved.bin')).body.equals(edited), 'the bytes');
  });

  it('rule 8: for what a replica holds it asks nobody', async () => {
    const replicas = await start();
    await site.put('page.html', 'a page');
    await site.inStep();
    const counted = site.nodes.map(({ front }) => front.requests.length);
    for (const node of replicas) {
      for (let i = 0; i < 100; i++) {
        const answer = await site.get(node, 'page.html', i % 2 === 0 ? {} : { 'Cache-Control': 'no-cache' });
        assert.equal(answer.status, 200);
        assert.match(answer.get('cache-status') ?? '', /; hit/);
      }
      assert.equal((await site.get(node, 'none.html')).status, 404);
    }
    const since = site.nodes.flatMap(({ front }, i) => front.requests.slice(counted[i]));
    assert.deepEqual(
      since.filter((request) => !isUpkeep(request)),
      [],
    );
  });

  /** What a change costs at all replicas together: bytes that nodes sent, and what replicas say that they pulled and spared. */
  async function bytesFor(replicas: readonly SiteNode[], change: () => Promise<void>): Promise<Cost> {
    const sent = (): number => site.nodes.reduce((sum, { front }) => sum + front.back, 0);
    const counted = async (name: 'bytesPulled' | 'bytesSpared'): Promise<number> => {
      const reports = await Promise.all(replicas.map((node) => node.report()));
      return reports.reduce((sum, { counters }) => sum + counters[name], 0);
    };
    const before = { sent: sent(), pulled: await counted('bytesPulled'), spared: await counted('bytesSpared') };
    await change();
    await site.inStep();
    return {
      sent: sent() - before.sent,
      pulled: (await counted('bytesPulled')) - before.pulled,
      spared: (await counted('bytesSpared')) - before.spared,
    };
  }
});

interface Cost {
  readonly sent: number;
  readonly pulled: number;
  readonly spared: number;
}

/** Calls that are due some time after a change, whoever asks for documents. */
const isUpkeep = (request: string): boolean =>
  /^(?:PUT \/\.well-known\/wlis\/replicas\/|GET \/\.well-known\/wlis\/(?:head|changes|changed|group)\?)/.test(request);

/** Every second release leaves `b.txt` as it is. */
const lastEven = (n: number): number => n - (n % 2);

const releaseFiles = (n: number): Readonly<Record<string, string>> => ({
  'a.txt': String(n),
  'b.txt': String(lastEven(n)),
  [`large-${n}.txt`]: randomBytes(60_000).toString('hex'),
  'always-other.txt': randomBytes(20_000).toString('hex'),
});
