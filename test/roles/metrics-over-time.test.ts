import assert from 'node:assert/strict';
import type { SampleSnapshot } from '../../proxy/base/metrics.js';
import { basic, passwordLine } from '../access/known-users.js';
import { KeptBooks } from '../support/kept-books.js';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';

describe('metrics and access log', () => {
  let books: KeptBooks;
  let directory: TempDir;
  beforeEach(async () => {
    directory = await TempDir.create();
    books = await KeptBooks.start();
    books.willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'content'));
  });
  afterEach(async () => {
    await books.willis.stop();
    await directory.remove();
  });

  const samples = (name: string): readonly SampleSnapshot[] =>
    books.willis.node.metrics.snapshot().families.find((family) => family.name === name)?.samples ?? [];
  const values = (name: string, label?: string): Record<string, unknown> =>
    Object.fromEntries(samples(name).map(({ labels, value }): [string, unknown] => [labels[label ?? ''] ?? '', value]));
  const get = async (outcome: string, fields: Readonly<Record<string, string>> = {}): Promise<void> => {
    books.expect('site', outcome, 200);
    const client = await books.connect();
    client.request('GET', '/', { Host: 'site.test', ...fields });
    await client.receive();
    client.close();
    await client.closed;
  };

  it('count what becomes of new configurations, and tell since when the one in force is', async () => {
    const { willis } = books;
    const start = willis.clock.now() / 1000;
    const facts = (): unknown[] => [
      values('willis_config_reloads_total', 'result'),
      values('willis_config_last_reload_successful')[''],
      values('willis_config_last_reload_success_timestamp_seconds')[''],
    ];
    assert.deepEqual(facts(), [{ applied: 0, unchanged: 0, refused: 0 }, 1, start]);
    willis.clock.advance(10_000);
    await willis.reload({ cache: { negative: '1s' } });
    willis.clock.advance(10_000);
    await willis.reload({});
    assert.deepEqual(facts(), [{ applied: 1, unchanged: 1, refused: 0 }, 1, start + 10]);
    await assert.rejects(willis.reload({ upstream: { ca: ['/no/such/file'] } }));
    assert.deepEqual(facts(), [{ applied: 1, unchanged: 1, refused: 1 }, 0, start + 10]);
    willis.node.noteUnreadable();
    assert.deepEqual(facts(), [{ applied: 1, unchanged: 1, refused: 2 }, 0, start + 10]);
    await willis.reload({ cache: { negative: '2s' } });
    assert.deepEqual(facts(), [{ applied: 2, unchanged: 1, refused: 2 }, 1, start + 20]);
    await books.close();
  });

  it('go on where they were when listeners move and the way to the origin server changes', async () => {
    const { willis } = books;
    await get('fwd=uri-miss');
    await get('hit');
    await willis.reload({ listen: { site: '0.0.0.0:0' }, upstream: { connections: 3 }, log: { level: 'info' } });
    await get('fwd=request', { 'Cache-Control': 'no-cache' });
    assert.deepEqual(values('willis_connections_total', 'side'), { proxy: 0, site: 3, admin: 0 });
    assert.deepEqual(values('willis_upstream_requests_total', 'result'), { 200: 2 });
    await books.close();
  });

  it('tell the client who stands behind a trusted proxy, and the proxy, and believe nobody else', async () => {
    const { willis } = books;
    const said = { 'X-Forwarded-For': '192.0.2.9' };
    await get('fwd=uri-miss', said);
    await willis.reload({ access: { trustedProxies: ['127.0.0.0/8'] } });
    await get('hit', said);
    const { log } = await books.close();
    assert.deepEqual(
      log.map(({ client, peer }) => [client, peer]),
      [
        ['127.0.0.1', '127.0.0.1'],
        ['192.0.2.9', '127.0.0.1'],
      ],
    );
  });

  it('name the user who has proved who he is, in the log only', async () => {
    const { willis } = books;
    const usersFile = await directory.write('users', passwordLine('alice', 'wonderland'));
    await willis.reload({ access: { authentication: { usersFile }, connectPorts: [willis.origin.port] } });
    const attempts = [
      ['authentication-required', 407, {}],
      ['authentication-required', 407, { 'Proxy-Authorization': basic('alice', 'guess') }],
      ['fwd=uri-miss', 200, { 'Proxy-Authorization': basic('alice', 'wonderland') }],
    ] as const;
    for (const [outcome, status, fields] of attempts) {
      books.expect('proxy', outcome, status);
      const client = await books.connect('proxy');
      client.request('GET', willis.origin.url('/'), { Host: willis.origin.authority, ...fields });
      assert.equal((await client.receive()).status, status);
      client.close();
    }
    assert.doesNotMatch(willis.node.metrics.text(), /alice/);
    const { log } = await books.close();
    assert.deepEqual(
      log.map(({ user }) => user),
      [null, null, 'alice'],
    );
    assert.doesNotMatch(JSON.stringify([log, willis.events]), /wonderland|guess|YWxpY2U/);
  });
});
