import assert from 'node:assert/strict';
import { epochMs, milliseconds } from '../../config/units.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { giveName, namingKey } from '../../replication/keys/naming.js';
import type { StoredKey } from '../../replication/keys/stored-key.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { ownLabel } from '../../wlis/trust/name-statement.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { RunningClock } from '../support/running-clock.js';
import { until } from '../support/waiting.js';
import { startWillis, type Sections, type Willis } from '../support/willis.js';

describe('names that a directory publishes', () => {
  let site: Replicating;
  let directory: Willis;
  let reader: Willis;
  let key: StoredKey;
  let reloads = 0;
  const clock = new RunningClock(120_000);

  const start = (name: string, config: Sections): Promise<Willis> =>
    startWillis({ clock, config: { sites: [], ...config, node: { name, data: site.path(name) } } });

  /** Signs a statement where the directory takes it from. */
  const give = async (name: string, uri: string | null, by = key): Promise<void> => {
    const namespace = uri === null ? null : parseNamespace(uri);
    const given = { name, namespace, now: epochMs(clock.now()), lifetime: milliseconds(600_000) };
    await giveName(site.path('directory'), by, given);
    // it looks for them every few seconds, and whenever its configuration changes
    await directory.reload({ wlis: { exchangeEvery: `${30 + ++reloads}s` } });
  };

  const get = async (target: string): Promise<RawResponse> => {
    const client = await RawClient.connect(reader.proxyPort);
    client.request('GET', target, { Host: 'x' });
    const response = await client.receive('GET');
    client.close();
    return response;
  };
  const content = async (target: string): Promise<string> => {
    const { status, body } = await get(target);
    return status === 200 ? body.toString() : String(status);
  };
  const becomes = (target: string, expected: string): Promise<void> =>
    until(async () => (await content(target)) === expected);

  beforeEach(async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A', 'sub/a.txt': 'below' } });
    await site.published('/a.txt', 'A');
    key = await namingKey(new KeyDirectory(site.path('directory')), null);
    directory = await start('directory', {
      roles: ['wlis'],
      listen: { proxy: null },
      wlis: { trust: { names: [key.id] } },
    });
    await directory.reload({ node: { url: urlOf(directory) } });
    const wlis = { peers: [urlOf(directory)], exchangeEvery: '20ms', trust: { names: [key.id], firstUse: true } };
    reader = await start('reader', { wlis });
  });
  afterEach(async () => {
    await reader.stop();
    await directory.stop();
    await site.stop();
  });

  it('are known to nodes that trust the key, lead to the newest place, and to none when they are taken back', async () => {
    await give('manual', `${site.origin}/`);
    await becomes('http://manual.wlis/a.txt', 'A');
    await give('manual', `${site.origin}/sub/`);
    await becomes('http://manual.wlis/a.txt', 'below');
    await give('manual', null);
    await becomes('http://manual.wlis/a.txt', '502');
  });

  it('stay known when the directory is gone and the node has started again', async () => {
    await give('*.pages', `${site.origin}/`);
    await becomes('http://sub.pages.wlis/a.txt', 'below');
    await directory.stop();
    await reader.stop();
    reader = await start('reader', { wlis: { trust: { names: [key.id] } } });
    assert.equal(await content('http://sub.pages.wlis/a.txt'), 'below');
  });

  it('that say by themselves which key gives them need no trust, and nobody else gives them', async () => {
    await reader.reload({ wlis: { trust: { names: [] } } });
    const own = `manual.${ownLabel(key.id)}`;
    const other = await new KeyDirectory(site.path('other')).make({ kind: 'names' });
    await give(own, `${site.origin}/`);
    await becomes(`http://${own}.wlis/a.txt`, 'A');
    await give(`other.${ownLabel(key.id)}`, `${site.origin}/`, other);
    await give('plain', `${site.origin}/`);
    await give(`last.${ownLabel(key.id)}`, `${site.origin}/`);
    await becomes(`http://last.${ownLabel(key.id)}.wlis/a.txt`, 'A');
    assert.equal(await content(`http://other.${ownLabel(key.id)}.wlis/a.txt`), '502');
    assert.equal(await content('http://plain.wlis/a.txt'), '502');
  });

  it('are nothing beside those that the operator of the node gives himself', async () => {
    await give('manual', `${site.origin}/`);
    await becomes('http://manual.wlis/a.txt', 'A');
    await reader.reload({ wlis: { names: { manual: `${site.origin}/sub/` } } });
    assert.equal(await content('http://manual.wlis/a.txt'), 'below');
  });

  it('that lead in a circle are refused when they are asked for', async () => {
    await give('one', 'http://two.wlis/');
    await give('two', 'http://one.wlis/');
    await until(async () => (await get('http://one.wlis/')).body.toString().includes('one → two → one'));
    assert.equal(await content('http://two.wlis/'), '502');
  });
});
