import assert from 'node:assert/strict';
import { metricOf, Replicating } from '../support/replicating.js';
import { RunningClock } from '../support/running-clock.js';
import { aWhile, until } from '../support/waiting.js';
import { startWillis, type Sections, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

describe('the keys of the directory of a node', () => {
  let site: Replicating;
  let reader: Willis;

  afterEach(async () => {
    await (reader as Willis | undefined)?.stop();
    await site.stop();
  });

  /** A site with a namespace, or with two, and somebody who knows nothing of it. */
  const start = async (wlis: Sections = {}, paths: readonly string[] = ['/']): Promise<void> => {
    site = await Replicating.start({ files: { 'a.txt': 'A' } });
    const namespaces = paths.map((path) => ({ url: site.origin + path, directory: site.directory }));
    await site.primary.reload({ node: { url: site.origin }, primary: { namespaces } });
    const node = { name: 'reader', data: site.path('reader') };
    reader = await startWillis({
      clock: new RunningClock(120_000),
      config: { node, sites: [], wlis: { trust: { firstUse: true }, ...wlis } },
    });
  };
  const known = (): number => metricOf(reader, 'willis_directory_namespaces');

  flips('wlis.peers', 'who is asked for what he knows', async () => {
    await start({ exchangeEvery: '50ms' });
    await aWhile();
    assert.equal(known(), 0);
    await reader.reload({ wlis: { peers: [site.origin] } });
    await until(() => known() === 1);
    assert.equal(metricOf(reader, 'willis_directory_peer_up'), 1);
    await reader.reload({ wlis: { peers: [] } });
    assert.equal(metricOf(reader, 'willis_directory_peer_up'), 0);
    assert.equal(known(), 1, 'what was learned stays');
  });

  flips('wlis.exchangeEvery', 'how often', async () => {
    await start({ exchangeEvery: '1h' });
    const peer = site.primary.origin;
    const asked = (): number => peer.requests.filter(({ url }) => url.startsWith('/.well-known/wlis/records')).length;
    await reader.reload({ wlis: { peers: [peer.url('/').slice(0, -1)] } });
    await until(() => asked() === 1);
    await aWhile();
    assert.equal(asked(), 1);
    await reader.reload({ wlis: { exchangeEvery: '50ms' } });
    await until(() => asked() >= 3);
  });

  flips('wlis.namespaces', 'how many of them are remembered', async () => {
    await start({ exchangeEvery: '50ms' }, ['/one/', '/two/']);
    await reader.reload({ wlis: { peers: [site.origin] } });
    await until(() => known() === 2);
    await reader.reload({ wlis: { peers: [], namespaces: 1 } });
    await until(() => known() === 1);
  });
});
