import assert from 'node:assert/strict';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamespaceView } from '../../proxy/admin/namespace-view.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import type { EndedWillis } from '../support/willis-program.js';
import { CliNode } from './cli-node.js';

const count = 300;
/** What programs are told, of whatever kind. */
const told = ({ stdout }: EndedWillis): unknown => JSON.parse(stdout);
const ended = ({ code, stdout, stderr }: EndedWillis, expected: number): string => {
  assert.equal(code, expected, `${stdout}\n${stderr}`);
  return stdout + stderr;
};

describe('the operators of a primary and of a replica', function () {
  this.timeout(60_000);
  let room: TempDir;
  let primary: CliNode;
  let replica: CliNode;
  let namespace: string;

  const host = (): string => new URL(namespace).host;
  const statusOf = async (node: CliNode): Promise<NamespaceView> =>
    told(await node.willis('status', namespace, '--json')) as NamespaceView;
  const text = async (node: CliNode, path: string): Promise<string> => {
    const { status, body } = await node.get(path, host());
    return status === 200 ? body.toString() : String(status);
  };

  /** Puts a file into the directory, as finished some time ago. */
  async function put(name: string, content: string): Promise<void> {
    const staged = join(room.path, 'staged');
    await writeFile(staged, content);
    await utimes(staged, 1_700_000_000, 1_700_000_000);
    await rename(staged, join(room.path, 'site', name));
  }

  // one journey, which begins with two nodes that know nothing of each other
  before(async () => {
    room = await TempDir.create();
    await room.write('token', `${'t'.repeat(40)}\n`);
    await mkdir(join(room.path, 'site/many'), { recursive: true });
    for (let i = 0; i < count; i++) await put(i < 150 ? `many/${i}.txt` : `${i}.txt`, `document ${i}`);
    primary = await CliNode.make(room, 'primary', {});
    namespace = `${primary.url}/`;
    const published = { url: namespace, directory: './site', replicas: { accept: 'listed', tokenFile: './token' } };
    await primary.write({ primary: { namespaces: [published] } });
    replica = await CliNode.make(room, 'replica', { wlis: { trust: { firstUse: true } } });
    await Promise.all([primary.start(), replica.start()]);
  });
  after(async () => {
    await Promise.all([primary.stop(), replica.stop()]);
    await room.remove();
  });

  it('`willis replicate` takes a namespace over by its token, shows how far it is, and ends when it is in step', async () => {
    const said = ended(await replica.willis('replicate', namespace, '--from', primary.url, '--token-file', 'token'), 0);
    assert.match(said, /is added to replica\.yaml\.\n/);
    assert.match(said, /^(?:joining|behind|taking over)/m);
    assert.match(said, new RegExp(`is in step, at change ${count}: ${count} documents`));
    assert.equal(await text(replica, 'many/7.txt'), 'document 7');
    const again = ended(
      await replica.willis('replicate', namespace, '--from', primary.url, '--token-file', 'token'),
      0,
    );
    assert.match(again, /stands already in replica\.yaml\./);
  });

  it('`willis namespaces` and `willis status` tell both how it fares', async () => {
    assert.match(ended(await primary.willis('namespaces'), 0), /primary +in step +300 +300/);
    assert.match(ended(await replica.willis('namespaces'), 0), /replica +in step +300 +300/);
    const { replicas } = await statusOf(primary);
    assert.deepEqual(
      replicas?.map(({ urls, access, lag }) => [urls, access, lag.changes]),
      [[[replica.url], 'listed', 0]],
    );
    const [report] = told(await replica.willis('namespaces', '--json')) as NamespaceReport[];
    assert.equal(report?.parent, primary.url);
    assert.match(ended(await primary.willis('status', 'http://other.example/'), 1), /is not held here; held are/);
  });

  it('`willis explain` says that a document is answered from the namespace', async () => {
    const explained = ended(await replica.willis('explain', `${namespace}many/7.txt`), 0);
    assert.match(explained, /namespace +http:\/\/127\.0\.0\.1:\d+\/, replicated here/);
    assert.match(explained, /answered +from the namespace: it has this document, at change 300/);
    assert.match(
      ended(await replica.willis('explain', `${namespace}none`), 0),
      /404 +from the namespace: it has no such document/,
    );
    assert.match(
      ended(await replica.willis('explain', `${namespace}many/7.txt`, '--request', 'POST'), 0),
      /primary +the method is for the primary alone/,
    );
  });

  it('`willis changed` publishes, and `willis lag --wait` ends when the replica holds that', async () => {
    await put('new.txt', 'new');
    ended(await primary.willis('changed', namespace), 0);
    ended(await primary.willis('lag', namespace, '--wait', '--timeout', '30s'), 0);
    assert.equal(await text(replica, 'new.txt'), 'new');
    ended(await primary.willis('lag'), 0);
    assert.match(
      ended(await replica.willis('changed', namespace), 1),
      /is only replicated here: ask its primary, http/,
    );
  });

  it('`willis lag` tells of a replica that is behind, with `--wait` when the time is over', async () => {
    replica.process.signal('SIGSTOP');
    try {
      await put('late.txt', 'late');
      ended(await primary.willis('changed', namespace), 0);
      assert.match(ended(await primary.willis('lag', namespace), 1), /behind/);
      ended(await primary.willis('lag', namespace, '--wait', '--timeout', '1s'), 1);
    } finally {
      replica.process.signal('SIGCONT');
    }
    ended(await primary.willis('lag', namespace, '--wait', '--timeout', '30s'), 0);
    assert.equal(await text(replica, 'late.txt'), 'late');
    ended(await primary.willis('lag', namespace, '--timeout', '1s'), 2);
  });

  it('`willis changed` holds removals back that look like an accident, until `--allow-removals`', async () => {
    await rename(join(room.path, 'site/many'), join(room.path, 'elsewhere'));
    // what is missing has to be so for a moment
    let held = await primary.willis('changed', namespace);
    await until(async () => {
      if (/150 removals wait to be allowed/.test(held.stdout)) return true;
      held = await primary.willis('changed', namespace);
      return false;
    });
    assert.equal(held.code, 1);
    assert.equal(await text(replica, 'many/7.txt'), 'document 7');
    assert.match(ended(await primary.willis('namespaces'), 0), /held/);
    assert.match(ended(await primary.willis('changed', namespace, '--allow-removals'), 0), /150 documents removed/);
    ended(await primary.willis('lag', namespace, '--wait', '--timeout', '30s'), 0);
    assert.equal(await text(replica, 'many/7.txt'), '404');
  });

  it('`willis promote` does nothing unless it is meant, and says which keys are wanting', async () => {
    assert.match(ended(await replica.willis('promote', namespace), 1), /^Nothing was done\. With --yes/);
    assert.match(ended(await replica.willis('promote', namespace, '--yes'), 1), /neither the root key .* nor the key/);
    assert.match(ended(await primary.willis('promote', namespace, '--yes'), 1), /is the primary of .* already/);
  });

  it('a replica that has moved is the same replica', async () => {
    const [before] = (await statusOf(primary)).replicas ?? [];
    await replica.stop();
    const moved = await CliNode.make(room, 'moved', {});
    const { node, listen } = await moved.config();
    await moved.write({ ...(await replica.config()), node: { ...(node as object), data: './replica-data' }, listen });
    replica = moved;
    await replica.start();
    await until(async () => (await statusOf(primary)).replicas?.[0]?.urls[0] === replica.url);
    const { replicas } = await statusOf(primary);
    assert.deepEqual(
      replicas?.map(({ id }) => id),
      [before?.id],
    );
    assert.equal(await text(replica, 'late.txt'), 'late');
  });

  it('a replica that is taken out of the configuration leaves the group', async () => {
    await replica.write({ replicated: { namespaces: [] } });
    replica.process.signal('SIGHUP');
    await until(async () => (await statusOf(primary)).report.children.length === 0);
    ended(await primary.willis('lag', namespace, '--wait', '--timeout', '30s'), 0);
    assert.deepEqual(told(await replica.willis('namespaces', '--json')), []);
  });
});
