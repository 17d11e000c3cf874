import assert from 'node:assert/strict';
import { configChanges } from '../../config/changes.js';
import { loadConfig } from '../../config/load.js';

const changes = (from: unknown, to: unknown) => {
  const [before, after] = [from, to].map((one) => loadConfig(JSON.stringify(one), 'a.yaml', {}, { hostName: 'here' }));
  assert.ok(before && after, 'not two configurations');
  return configChanges(before, after);
};

const site = (host: string, port = 1) => ({ host, origin: `http://127.0.0.1:${port}/` });

describe('the changes between two configurations', () => {
  it('are none if both say the same, in whatever words', () => {
    const a = { limits: { idleTimeout: '60s', headerBytes: 32768 }, listen: { site: '127.0.0.1:8080' }, node: {} };
    const b = { limits: { idleTimeout: '1m' }, listen: { site: { address: '127.0.0.1:8080' } } };
    assert.deepEqual(changes(a, b), []);
  });

  it('are told by key, in the order of the table, as an operator would write the values', () => {
    assert.deepEqual(changes({ log: { level: 'debug' } }, { limits: { uri: '1KiB' }, node: { name: 'x' } }), [
      { key: 'node.name', from: 'here', to: 'x' },
      { key: 'limits.uri', from: '16KiB', to: '1KiB' },
      { key: 'log.level', from: 'debug', to: 'info' },
    ]);
  });

  it('of lists are told by element where the elements have keys, otherwise as a whole', () => {
    const from = { sites: [site('a'), site('b')], access: { connectPorts: [1, 2] } };
    const to = { sites: [site('a', 2)], access: { connectPorts: [1, 2, 3] } };
    assert.deepEqual(changes(from, to), [
      { key: 'access.connectPorts', from: [1, 2], to: [1, 2, 3] },
      { key: 'sites[0].origin', from: 'http://127.0.0.1:1/', to: 'http://127.0.0.1:2/' },
      {
        key: 'sites[1]',
        from: { host: 'b', prefix: '/', origin: 'http://127.0.0.1:1/', sendHost: 'client' },
        to: undefined,
      },
    ]);
  });

  it('of a listener that gets TLS are told with its files', () => {
    const tls = { cert: '/c.pem', key: '/k.pem' };
    const [change, ...more] = changes({}, { listen: { site: { address: '127.0.0.1:8080', tls } } });
    assert.deepEqual([change?.key, change?.from, more], ['listen.site', '127.0.0.1:8080', []]);
    assert.deepEqual((change?.to as { tls: unknown }).tls, [tls]);
  });
});
