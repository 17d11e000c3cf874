import assert from 'node:assert/strict';
import { OperatedWillis } from '../admin/operator-fixture.js';
import { TempDir } from '../support/temp-dir.js';
import { flips } from './flips.js';

describe('the keys of access.operator', () => {
  let node: OperatedWillis;
  let directory: TempDir;

  beforeEach(async () => {
    directory = await TempDir.create();
    node = await OperatedWillis.start();
  });
  afterEach(async () => {
    await node.stop();
    await directory.remove();
  });

  flips('access.operator.tokenFile', 'with which token the operator side is open from elsewhere', async () => {
    const withToken = async (token: string): Promise<number> => {
      const fields = { Authorization: `Bearer ${token}`, Via: '1.1 elsewhere' };
      return (await node.ask('GET', '/api/stats', fields)).status;
    };
    assert.equal(await withToken('first'), 403);
    const tokenFile = await directory.write('token', 'first\n');
    await node.willis.reload({ access: { operator: { tokenFile } } });
    assert.deepEqual([await withToken('first'), await withToken('second')], [200, 401]);
    await directory.write('token', 'second\n');
    await node.willis.reload({});
    assert.deepEqual([await withToken('first'), await withToken('second')], [401, 200]);
    await node.willis.reload({ access: { operator: { tokenFile: null } } });
    assert.equal(await withToken('second'), 403);
  });

  flips('access.operator.hosts', 'by which names it may be called', async () => {
    const called = async (host: string): Promise<number> => (await node.ask('GET', '/', { Host: host })).status;
    assert.deepEqual([await called('cache.test:3180'), await called('localhost')], [421, 200]);
    await node.willis.reload({ access: { operator: { hosts: ['cache.test'] } } });
    assert.deepEqual([await called('cache.test:3180'), await called('localhost')], [200, 200]);
    await node.willis.reload({ access: { operator: { hosts: ['other.test'] } } });
    assert.equal(await called('cache.test'), 421);
  });
});
