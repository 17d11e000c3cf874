import assert from 'node:assert/strict';
import { wholeAnswer } from '../../../wlis/calls/call-answer.js';
import { CallHandler } from '../../../wlis/calls/call-handler.js';
import { CallReplays } from '../../../wlis/call-replays.js';
import { callWindow } from '../../../wlis/signed-request.js';
import { TempDir } from '../../support/temp-dir.js';
import { until } from '../../support/waiting.js';
import { keyNamed } from '../../wlis/trust/keys-example.js';
import { callKeyOf, headOf, openRules, pass, PrimaryFixture, ReplicaFixture, TreeNetwork } from './tree-network.js';

const minute = 60_000;

describe('the membership of a replica', () => {
  let directory: TempDir;
  let network: TreeNetwork;
  let primary: PrimaryFixture;
  let started: (PrimaryFixture | ReplicaFixture)[];

  beforeEach(async () => {
    directory = await TempDir.create();
    network = new TreeNetwork();
    primary = await PrimaryFixture.create(network, directory.path);
    started = [primary];
    await primary.start();
  });

  afterEach(async () => {
    await Promise.all(started.map((node) => node.stop()));
    await directory.remove();
  });

  /** Joins, with as many above as the fan-out of 2 makes. */
  async function replica(
    name: string | null,
    over: Parameters<ReplicaFixture['start']>[0] = {},
  ): Promise<ReplicaFixture> {
    const one = await ReplicaFixture.create(primary, directory.path, name);
    started.push(one);
    await one.start(over);
    await answered(one);
    return one;
  }

  async function replicas(...names: string[]): Promise<ReplicaFixture[]> {
    const all: ReplicaFixture[] = [];
    for (const name of names) all.push(await replica(name));
    await pass(network, started, 3000);
    return all;
  }

  it('is given a parent, those above it up to the primary, and the group that names it', async () => {
    const all = await replicas('a', 'b', 'c', 'd', 'e', 'f', 'g');
    assert.ok(
      all.every((one) => one.tree.membership.standing.state === 'joined'),
      'all have joined',
    );
    assert.deepEqual(all[0]?.sources, ['http://p.example']);
    const deepest = all.filter((one) => one.sources.length === 3);
    assert.ok(deepest.length > 0, 'none is at the third level');
    for (const one of all) {
      assert.equal(one.sources.at(-1), 'http://p.example');
      assert.ok(
        one.tree.group?.group.replicas.some(({ key }) => key === one.key.publicKey),
        'the group does not name it',
      );
    }
  });

  it('is told of changes by its parent, where that is not the primary', async () => {
    const [a, b, c] = await replicas('a', 'b', 'c');
    const parent = [a, b].find((one) => one?.url === c?.sources[0]);
    assert.deepEqual(parent?.tree.children(), [c?.id]);
    await primary.publish(1);
    await network.quiet();
    assert.deepEqual(
      [a?.hints.length, b?.hints.length, c?.hints.length],
      [1, 1, 0],
      'before their parents hold it, nobody is told',
    );
    await parent.take(1);
    await network.quiet();
    assert.equal(c?.hints.length, 1);
    assert.equal(c.hints[0]?.jws, (await headOf(1, primary.signer, network.clock)).jws);
    assert.equal(c.hints[0].age, 5);
  });

  it('says what is held at once, and then at most once a second', async () => {
    const [a] = await replicas('a');
    const before = network.count('PUT');
    for (let seq = 1; seq <= 20; seq++) await a?.take(seq);
    await network.quiet();
    assert.equal(network.count('PUT') - before, 1);
    await pass(network, started, 1000);
    assert.equal(network.count('PUT') - before, 2);
    assert.equal(primary.tree.members.reports((await primary.publish(20)).head)[0]?.lag.changes, 0);
    await a?.take(20);
    await pass(network, started, 3000);
    assert.equal(network.count('PUT') - before, 2, 'what was said is not said again');
  });

  it('goes up when the node above fails, is told there, and comes back', async () => {
    const [a, b, c] = await replicas('a', 'b', 'c');
    const parent = [a, b].find((one) => one?.url === c?.sources[0]) as ReplicaFixture;
    network.down.add(parent.url ?? '');
    c?.tree.membership.failed(parent.url ?? '');
    assert.equal(c?.sources[0], 'http://p.example');
    await pass(network, started, 2000);
    const hints = c.hints.length;
    await primary.publish(1);
    await network.quiet();
    assert.equal(c.hints.length, hints + 1, 'the primary does not tell who pulls from it');
    network.down.delete(parent.url ?? '');
    await pass(network, started, 10_000);
    assert.equal(c.sources[0], parent.url);
    assert.deepEqual(parent.tree.children(), [c.id]);
  });

  it('of the children of one that is not heard of any more goes to others', async () => {
    const [a, b, c] = await replicas('a', 'b', 'c');
    const parent = [a, b].find((one) => one?.url === c?.sources[0]) as ReplicaFixture;
    const other = [a, b].find((one) => one !== parent) as ReplicaFixture;
    started.splice(started.indexOf(parent), 1);
    await parent.stop();
    await pass(network, started, 22 * minute, 20_000);
    await until(() => primary.tree.group?.group.replicas.length === 2);
    await pass(network, started, 6 * minute, 20_000);
    assert.ok(!c?.sources.includes(parent.url ?? ''), 'it is still sent to one that is gone');
    assert.equal(c?.tree.membership.standing.state, 'joined');
    assert.deepEqual(other.sources, ['http://p.example'], 'others were moved');
  });

  it('goes on without the primary, after a restart too: it knows those above it and the group', async () => {
    const [a, b, c] = await replicas('a', 'b', 'c');
    const sources = c?.sources;
    await pass(network, started, 2000);
    network.down.add(primary.url);
    await c?.stop();
    await c?.start();
    await answered(c!);
    assert.deepEqual([...(c?.sources ?? [])].sort(), [...(sources ?? [])].sort());
    assert.equal(c?.tree.group?.group.replicas.length, 3);
    assert.equal(c.tree.membership.standing.state, 'unreachable');
    assert.match(c.tree.membership.standing.reason ?? '', /http:\/\/p\.example.*refused to connect/);
    const parent = [a, b].find((one) => one?.url === sources?.[0]);
    await pass(network, started, 5000);
    assert.deepEqual(parent?.tree.children(), [c.id], 'its parent does not tell it any more');
    network.down.delete(primary.url);
    await pass(network, started, 2 * minute, 5000);
    assert.equal(c.tree.membership.standing.state, 'joined');
  });

  it('is tried again with longer and longer waits, and never in a loop, while nobody answers', async () => {
    const [a, , c] = await replicas('a', 'b', 'c');
    for (const url of ['http://p.example', 'http://a.example', 'http://b.example']) network.down.add(url);
    const before = network.calls.length;
    await pass(network, started, 5 * minute, 1000);
    const made = network.calls.length - before;
    assert.ok(made > 10 && made < 120, `${made} calls in five minutes`);
    assert.ok((a?.sources.length ?? 0) > 0 && (c?.sources.length ?? 0) > 1, 'sources were lost');
  });

  it('is found where the primary has moved to, if the operator or the group says so', async () => {
    const [a] = await replicas('a');
    started.splice(started.indexOf(primary), 1);
    await primary.stop();
    const moved = new PrimaryFixture(network, primary.data, primary.key, primary.signer, 'http://q.example');
    started.push(moved);
    await moved.start();
    await a?.stop();
    assert.ok(a !== undefined, 'there is no replica');
    await a.start({ from: 'http://q.example' });
    await answered(a);
    await pass(network, started, 5000);
    assert.equal(a.tree.membership.standing.state, 'joined');
    assert.deepEqual(a.sources, ['http://q.example']);
  });

  it('of a node that moved stays what it was', async () => {
    const [a] = await replicas('a');
    await a?.stop();
    const moved = new ReplicaFixture(network, a?.data ?? '', a!.key, primary, 'http://z.example');
    started.splice(started.indexOf(a!), 1, moved);
    await moved.start();
    await pass(network, started, 2000);
    const reports = primary.tree.members.reports((await primary.publish(1)).head);
    assert.deepEqual(
      reports.map(({ id, urls }) => [id, urls]),
      [[a?.id, ['http://z.example']]],
    );
  });

  it('of a node that nobody can call is one too; it is told by nobody', async () => {
    const hidden = await replica(null);
    await pass(network, started, 3000);
    assert.equal(hidden.tree.membership.standing.state, 'joined');
    assert.deepEqual(primary.tree.members.told(), []);
    assert.equal(primary.tree.memberKey(hidden.id), hidden.key.publicKey);
    const seen = await replica('a');
    await pass(network, started, 3000);
    assert.equal(seen.tree.memberKey(hidden.id), hidden.key.publicKey, 'other members do not know it as one');
  });

  it('is not had where the primary does not list the key; with the token it is, and then without', async () => {
    primary.tree.admit({ ...openRules, accept: 'listed', token: 'a token of the operator' });
    const a = await replica('a');
    assert.deepEqual(a.tree.membership.standing.state, 'not-admitted');
    assert.match(a.tree.membership.standing.reason ?? '', /http:\/\/p\.example.*does not list/);
    await a.stop();
    await a.start({ token: 'another' });
    await answered(a);
    assert.match(a.tree.membership.standing.reason ?? '', /wrong-token|token is not/);
    await a.stop();
    await a.start({ token: 'a token of the operator' });
    await answered(a);
    assert.equal(a.tree.membership.standing.state, 'joined');
    await a.stop();
    await primary.stop();
    primary.rules = { ...openRules, accept: 'listed', token: null };
    await primary.start();
    await a.start();
    await answered(a);
    assert.equal(a.tree.membership.standing.state, 'joined', 'who had the token once is listed');
  });

  it('is not asked for at a node that cannot prove to be the primary: its token goes nowhere else', async () => {
    const liar = await callKeyOf();
    const forged = await keyNamed('somebody else');
    const other = new PrimaryFixture(network, `${directory.path}/other`, liar, forged, 'http://liar.example');
    started.push(other);
    await other.start();
    const bodies: string[] = [];
    network.gate = ({ content }) => {
      bodies.push(content ?? '');
      return Promise.resolve();
    };
    const a = await replica('a', { from: 'http://liar.example', token: 'secret token' });
    assert.equal(a.tree.membership.standing.state, 'untrusted');
    assert.ok(
      bodies.every((body) => !body.includes('secret')),
      'the token was given away',
    );
  });

  it('is found through another replica that knows the primary', async () => {
    await replicas('a');
    const b = await replica('b', { from: 'http://a.example' });
    await pass(network, started, 3000);
    assert.equal(b.tree.membership.standing.state, 'joined');
    assert.equal(primary.tree.members.reports((await primary.publish(1)).head).length, 2);
  });

  it('never makes a node its own source, whatever it is told', async () => {
    const lying = await replica('a');
    const told = {
      ...{ as: 'replica', activeUntil: 2_000_000_000_000, renewAfter: 300_000, depth: 2 },
      parent: { id: lying.id, url: 'http://a.example' },
      ancestors: [],
    };
    const text = JSON.stringify(Object.fromEntries(Object.entries(told).sort(([x], [y]) => (x < y ? -1 : 1))));
    network.attach(primary.url, answering(text, network));
    await pass(network, [lying], 6 * minute, 20_000);
    assert.deepEqual(lying.sources, ['http://p.example']);
  });

  it('ends when it is left; children are sent to others', async () => {
    const [a] = await replicas('a', 'b');
    await a?.tree.membership.leave(new AbortController().signal);
    assert.equal(primary.tree.memberKey(a!.id), null);
    await until(() => primary.tree.group?.group.replicas.length === 1 || (primary.tree.restate(), false));
  });
});

/** What became of its first asking is known. */
async function answered(one: ReplicaFixture): Promise<void> {
  await until(() => one.tree.membership.standing.state !== 'new');
  await one.network.quiet();
}

/** A node that answers everything with that. */
const answering = (text: string, network: TreeNetwork): CallHandler =>
  new CallHandler({
    resources: new Map([
      [
        'replicas',
        {
          methods: ['PUT', 'DELETE'] as const,
          answer: () => wholeAnswer('application/json', text),
        },
      ],
    ]),
    ...{ origins: () => ['http://p.example'], replays: new CallReplays(callWindow), now: () => network.clock.now() },
    logger: network.logger,
  });
