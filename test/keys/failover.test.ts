import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../faults/content.js';
import { AdjustableClock } from '../support/adjustable-clock.js';
import { Constellation } from '../support/constellation.js';
import type { SiteNode } from '../support/site-node.js';
import { TempDir } from '../support/temp-dir.js';
import { aWhile, until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';
import { flips } from './flips.js';

const large = contentOf('large', 1, 0, 500_000);

describe('the keys of going on elsewhere', () => {
  let all: Constellation;
  let directory: TempDir;
  let clock: AdjustableClock;

  beforeEach(async () => {
    directory = await TempDir.create();
    clock = new AdjustableClock();
    const files = { 'a.txt': 'A', 'large.bin': large };
    all = await Constellation.start({ files, replicas: 4, clientClock: clock });
    await all.learned('a.txt');
    await prefer(all.replicas[0] as SiteNode);
  });
  afterEach(async () => {
    await all.close();
    await directory.remove();
  });

  const reload = (clientSide: Readonly<Record<string, unknown>>, more = {}): Promise<unknown> =>
    (all.client.running as Willis).reload({
      clientSide: { choice: join(directory.path, 'choice.js'), ...clientSide },
      ...more,
    });

  /** That one is asked first, and the primary last. */
  async function prefer({ front }: SiteNode): Promise<void> {
    await writeFile(
      join(directory.path, 'choice.js'),
      `const rank = ({ url, role }) => (url === '${front.url}' ? 0 : role === 'primary' ? 2 : 1);
       export default (all) => all.map((candidate) => ({ candidate, score: rank(candidate) }))
         .sort((a, b) => a.score - b.score);`,
    );
    await reload({});
  }

  async function hedged(): Promise<number> {
    const { body } = await all.client.ask({ method: 'GET', target: '/metrics', host: 'localhost', side: 'admin' });
    return Number(/^willis_failover_hedged_total (\d+)$/m.exec(body.toString())?.[1]);
  }

  /** How often a request is sent to a second node when the first one says nothing. */
  async function hedgedBy(hedge: Readonly<Record<string, unknown>>): Promise<number> {
    const [first] = all.replicas as [SiteNode];
    await reload({ hedge, patience: '2s' });
    const before = await hedged();
    first.front.mode = 'silent';
    assert.equal((await all.get('a.txt')).body.toString(), 'A');
    first.front.mode = 'pass';
    return (await hedged()) - before;
  }

  /** So often that it is known how long it takes. */
  async function read(times: number): Promise<void> {
    for (let i = 0; i < times; i++) assert.equal((await all.get('a.txt')).status, 200);
  }

  flips('clientSide.attempts', 'how many are tried before the primary', async () => {
    for (const { front } of all.replicas) front.mode = 'status';
    const counts: number[] = [];
    for (const attempts of [1, 3]) {
      await reload({ attempts });
      const before = all.rawRequests(all.replicas);
      assert.equal((await all.get('a.txt')).body.toString(), 'A');
      counts.push(all.rawRequests(all.replicas) - before);
    }
    assert.deepEqual(counts, [1, 3]);
  });

  flips('clientSide.patience', 'how long a node may be silent before another one goes on', async () => {
    const [first] = all.replicas as [SiteNode];
    first.front.mode = { after: 200_000, then: 'stall' };
    await reload({ patience: '1h' });
    let isThere = false;
    const waiting = all.get('large.bin').then((response) => {
      isThere = true;
      return response;
    });
    await until(() => first.front.back > 200_000);
    await aWhile();
    assert.equal(isThere, false);
    await reload({ patience: '200ms' });
    assert.ok((await all.get('large.bin')).body.equals(large), 'every byte, from somebody else');
    assert.equal(isThere, false);
    first.front.mode = 'pass';
    assert.ok((await waiting).body.equals(large), 'and now that it breaks off');
  });

  flips('clientSide.hedge.enabled', 'whether a request that is slow to be answered is sent elsewhere too', async () => {
    await read(12);
    assert.equal(await hedgedBy({ enabled: true, budget: '100%' }), 1);
    assert.equal(await hedgedBy({ enabled: false, budget: '100%' }), 0);
  });

  flips('clientSide.hedge.after', 'as long as which share of those before took', async () => {
    const [first] = all.replicas as [SiteNode];
    await read(16);
    first.front.onForth = () => clock.advance(3_600_000);
    await read(4);
    first.front.onForth = null;
    assert.equal(await hedgedBy({ enabled: true, budget: '100%', after: 'p50' }), 1);
    assert.equal(await hedgedBy({ enabled: true, budget: '100%', after: 'p99' }), 0);
  });

  flips('clientSide.hedge.budget', 'how many may be sent twice', async () => {
    await read(12);
    assert.equal(await hedgedBy({ enabled: true, budget: '100%' }), 1);
    assert.equal(await hedgedBy({ enabled: true, budget: '0%' }), 0);
  });

  flips('sites[].namespace', 'whether a site is a namespace, from whoever holds it, or an origin server', async () => {
    const { site, client } = all;
    const visit = () => client.ask({ method: 'GET', target: '/a.txt', host: 'www.example.org', side: 'site' });
    const before = all.rawRequests();
    await reload({}, { sites: [{ host: '*', origin: site.namespace, sendHost: 'origin' }] });
    assert.equal((await visit()).body.toString(), 'A');
    assert.equal(all.rawRequests(), before);
    await reload({}, { sites: [{ host: '*', namespace: site.namespace }] });
    const { body, fields } = await visit();
    assert.deepEqual([body.toString(), all.rawRequests()], ['A', before + 1]);
    const lines = fields.map(([name, value]) => `${name}: ${value}`).join('\n');
    assert.doesNotMatch(lines, /^wlis-|;\s*wlis\b|127\.0\.0\.1/im);
  });
});
