import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { metricOf, Replicating } from '../support/replicating.js';
import { aWhile, settled, until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';
import { flips } from './flips.js';

const files = { 'a.txt': 'A', 'b.txt': 'B', 'c.md': 'C', 'd.md': 'D' };

describe('the keys of what is replicated', () => {
  let site: Replicating;

  afterEach(() => site.stop());

  /** Whether a replica has the content of a document. It has, from then on. */
  const hit = async (path: string, replica: Willis): Promise<boolean> => {
    const answer = await site.visit(path, replica);
    assert.equal(answer.status, 200);
    return (answer.get('cache-status') ?? '').includes('; hit');
  };

  /** Waits until a replica has so many bytes of content that belong to it. */
  const bytesHere = (replica: Willis, bytes: number): Promise<void> =>
    until(() => metricOf(replica, 'willis_namespace_bytes') === bytes);

  flips('replicated.namespaces', 'what is replicated', async () => {
    site = await Replicating.start({ files });
    const replica = await site.replica();
    await site.inStep(replica);
    assert.equal(await site.content('/a.txt', replica), 'A');
    await replica.reload({ replicated: { namespaces: [] } });
    assert.equal(await site.content('/a.txt', replica), '421');
    await site.replicate(replica);
    await site.inStep(replica);
  });

  flips('replicated.namespaces[].url', 'which namespace that is', async () => {
    site = await Replicating.start({ files });
    const [one, two] = [`${site.origin}/one/`, `${site.origin}/two/`];
    const published = (url: string) => ({ url, directory: site.directory, replicas: { accept: 'open' } });
    await site.primary.reload({ primary: { namespaces: [published(one), published(two)] } });
    const replica = await site.replica({ url: one });
    const said = async (path: string) => (await site.visit(path, replica)).get('wlis-namespace') ?? null;
    await until(async () => (await said('/one/a.txt'))?.includes('role=replica') === true);
    assert.equal(await said('/two/a.txt'), null);
    await site.replicate(replica, { url: two });
    await until(async () => (await said('/two/a.txt'))?.includes('role=replica') === true);
    assert.equal(await said('/one/a.txt'), null);
  });

  flips('replicated.namespaces[].from', 'who is asked for it', async () => {
    site = await Replicating.start({ files });
    const { origin } = site.primary;
    const replica = await site.replica({ from: origin.url('/').slice(0, -1) });
    await until(() => origin.requests.some(({ url }) => url.startsWith('/.well-known/wlis/')));
    assert.equal(await site.holds(replica), false);
    await site.replicate(replica);
    await site.inStep(replica);
  });

  flips('replicated.namespaces[].tokenFile', 'the token of the primary', async () => {
    site = await Replicating.start({ files });
    await site.write('right', 'a token\n', site.path('tokens'));
    await site.write('wrong', 'another\n', site.path('tokens'));
    await site.publish({ replicas: { accept: 'listed', tokenFile: site.path('tokens/right') } });
    const replica = await site.replica({ tokenFile: site.path('tokens/wrong') });
    await site.refused(replica);
    assert.equal(await site.holds(replica), false);
    await site.replicate(replica, { tokenFile: site.path('tokens/right') });
    await site.inStep(replica);
  });

  flips('replicated.namespaces[].include', 'of which documents the content is held', async () => {
    site = await Replicating.start({ files });
    const replica = await site.replica({ include: ['*.txt'] });
    await site.inStep(replica);
    assert.deepEqual([await hit('/a.txt', replica), await hit('/c.md', replica)], [true, false]);
    await site.replicate(replica, { include: ['**'] });
    await bytesHere(replica, 4);
    assert.equal(await hit('/d.md', replica), true);
  });

  flips('replicated.namespaces[].exclude', 'of which it is not', async () => {
    site = await Replicating.start({ files });
    const replica = await site.replica({ exclude: ['*.md'] });
    await site.inStep(replica);
    assert.deepEqual([await hit('/a.txt', replica), await hit('/c.md', replica)], [true, false]);
    await site.replicate(replica, { exclude: ['a.txt'] });
    await bytesHere(replica, 3);
    assert.equal(await hit('/d.md', replica), true);
  });

  flips('replicated.namespaces[].maxBytes', 'how long a content may be to be held', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A', 'b.txt': 'B'.repeat(5000), 'c.txt': 'C'.repeat(6000) } });
    const replica = await site.replica({ maxBytes: '4KiB' });
    await site.inStep(replica);
    assert.deepEqual([await hit('/a.txt', replica), await hit('/b.txt', replica)], [true, false]);
    await site.replicate(replica, { maxBytes: '8KiB' });
    await bytesHere(replica, 11_001);
    assert.equal(await hit('/c.txt', replica), true);
  });

  flips('replicated.namespaces[].onChange', 'whether changed contents are pulled before anybody asks', async () => {
    site = await Replicating.start({ files });
    const replica = await site.replica({ onChange: 'markStale' });
    await site.inStep(replica);
    assert.deepEqual([await hit('/a.txt', replica), await hit('/a.txt', replica)], [false, true]);
    await site.write('a.txt', 'second');
    await site.published('/a.txt', 'second');
    await site.inStep(replica);
    assert.equal(await hit('/a.txt', replica), false);
    await site.replicate(replica, { onChange: 'pull' });
    await site.write('a.txt', 'third');
    await site.published('/a.txt', 'third');
    await site.inStep(replica);
    assert.equal(await hit('/a.txt', replica), true);
  });

  flips('replicated.namespaces[].onDelete', 'whether contents that were removed stay', async () => {
    const content = 'x'.repeat(1000);
    site = await Replicating.start({ files: { ...files, 'x.txt': content } });
    const replica = await site.replica({ onDelete: 'keep' });
    await site.inStep(replica);
    assert.equal(await pulledAgain(), 0);
    await site.replicate(replica, { onDelete: 'delete' });
    await site.inStep(replica);
    assert.equal(await pulledAgain(), content.length);

    /** How much comes when a document is removed, and is there again long after. */
    async function pulledAgain(): Promise<number> {
      const before = metricOf(replica, 'willis_namespace_pulled_bytes_total');
      await site.delete('x.txt');
      await site.published('/x.txt', '404');
      await site.inStep(replica);
      const long = 16 * 60_000;
      replica.clock.advance(long);
      replica.clock.step(-long);
      // what nobody wants any more goes now and then, and with a reload
      await replica.reload({ cache: { negative: `${before + 1}s` } });
      await replica.reload({ documents: { disk: `${before + 1}GiB` } });
      await site.write('x.txt', content);
      await site.published('/x.txt', content);
      await site.inStep(replica);
      return metricOf(replica, 'willis_namespace_pulled_bytes_total') - before;
    }
  });

  flips('replicated.namespaces[].bandwidth', 'how much is pulled in a second', async () => {
    site = await Replicating.start({ files: { 'a.bin': randomBytes(100_000).toString('hex') } });
    const replica = await site.replica({ bandwidth: '1KiB/s' });
    await until(() => metricOf(replica, 'willis_namespace_known_seq') > 0);
    await aWhile();
    assert.equal(await site.holds(replica), false);
    await site.replicate(replica, { bandwidth: null });
    await site.inStep(replica);
  });

  /** The hour that it is so many hours later. */
  const hourIn = (hours: number): number => new Date(site.primary.clock.now() + hours * 3_600_000).getUTCHours();

  /** Hours ahead of or behind now, for so long. */
  const window = (hours: number, duration: string, timezone = 'UTC') => ({
    update: { cron: `0 ${hourIn(hours)} * * *`, timezone, for: duration },
  });

  /** Nothing is pulled, until the keys are others. */
  const waitsFor = async (closed: object, open: object): Promise<void> => {
    const replica = await site.replica({ ...closed });
    await until(() => metricOf(replica, 'willis_namespace_known_seq') > 0);
    await aWhile();
    assert.equal(metricOf(replica, 'willis_namespace_pulled_bytes_total'), 0);
    assert.equal(await site.holds(replica), false);
    await site.replicate(replica, { ...open });
    await site.inStep(replica);
  };

  flips('replicated.namespaces[].update', 'when contents are pulled', async () => {
    site = await Replicating.start({ files });
    await waitsFor(window(6, '3h'), { update: 'immediately' });
  });

  flips('window.cron', 'when they begin to be', async () => {
    site = await Replicating.start({ files });
    await waitsFor(window(6, '3h'), window(-1, '3h'));
  });

  flips('window.timezone', 'by which clock', async () => {
    site = await Replicating.start({ files });
    await waitsFor(window(-1, '3h', 'Asia/Tokyo'), window(-1, '3h', 'UTC'));
  });

  flips('window.for', 'for how long', async () => {
    site = await Replicating.start({ files });
    await waitsFor(window(-3, '1h'), window(-3, '12h'));
  });

  flips('replicated.namespaces[].patience', 'how long another node may be silent', async () => {
    site = await Replicating.start({ files });
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = silent.address() as AddressInfo;
      const keys = { url: `http://127.0.0.1:${port}/`, from: `http://127.0.0.1:${port}` };
      const replica = await site.replica({ ...keys, patience: '100ms', pollEvery: '100ms' });
      const asked = (): number => sockets.size;
      await until(() => asked() > 10);
      await site.replicate(replica, { ...keys, patience: '1h', pollEvery: '100ms' });
      await settled(asked);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  flips('replicated.namespaces[].pollEvery', 'how often is asked for news that nobody told of', async () => {
    site = await Replicating.start({ files });
    const replica = await site.replica({ pollEvery: '10ms' });
    await site.inStep(replica);
    const asked = (): number => metricOf(site.primary, 'willis_requests_total');
    const before = asked();
    await until(() => asked() > before + 10);
    await site.replicate(replica, { pollEvery: '1h' });
    await settled(asked);
  });
});
