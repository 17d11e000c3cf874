import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { CallProblem } from '../../../wlis/calls/call-problem.js';
import type { ReplicaReport } from '../../../replication/namespace-report.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import { membershipTime, ReplicaMembers } from '../../../replication/tree/replica-members.js';
import type { JoinRequest } from '../../../replication/tree/join-request.js';
import { UrlCheck } from '../../../replication/tree/url-check.js';
import { signGroup } from '../../../wlis/trust/group.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../../wlis/trust/public-key.js';
import { TempDir } from '../../support/temp-dir.js';
import { keyNamed } from '../../wlis/trust/keys-example.js';
import { epoch, headOf, heldAt, openRules, policy, site, TreeNetwork } from './tree-network.js';

const never = new AbortController().signal;
const keys: PublicKey[] = [];

before(async () => {
  for (let i = 0; i < 40; i++) keys.push((await keyNamed(`member ${i}`)).publicKey);
});

const key = (i: number): PublicKey => keys[i]!;
const id = (i: number): KeyId => keyIdOf(key(i));
const urlOf = (i: number): string => `http://m${i}.example`;

const request = (i: number, over: Partial<JoinRequest> = {}): JoinRequest => ({
  ...{ key: key(i), urls: [urlOf(i)], place: null, capacity: 1, subset: null, update: 'immediately' },
  ...{ held: null, source: null, group: null, token: null },
  ...over,
});

const problem =
  (status: number, type: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CallProblem, String(error));
    assert.deepEqual([error.status, error.type], [status, type]);
    return true;
  };

describe('the replicas of a primary', () => {
  let directory: TempDir;
  let network: TreeNetwork;
  let members: ReplicaMembers;
  /** Which key answers at a URL. */
  let nodes: Map<string, PublicKey>;
  let called: string[];

  beforeEach(async () => {
    directory = await TempDir.create();
    network = new TreeNetwork();
    nodes = new Map(keys.map((one, i) => [urlOf(i), one]));
    called = [];
    members = await open();
  });

  afterEach(async () => {
    await members.stop();
    await directory.remove();
  });

  const self = (): PublicKey => key(39);

  async function open(over: Partial<Parameters<typeof ReplicaMembers.open>[0]> = {}): Promise<ReplicaMembers> {
    const { clock, logger } = network;
    const opened = await ReplicaMembers.open({
      ...{ namespace: site, path: join(directory.path, 'members'), rules: openRules, fanOut: 2, clock, logger },
      self: { key: self(), urls: ['http://p.example'], place: null, capacity: 1 },
      urls: new UrlCheck({
        clock,
        allows: (url) => !url.includes('//10.'),
        identify: (url) => {
          called.push(url);
          const found = nodes.get(url);
          return found === undefined
            ? Promise.reject(new CallFailed('unreachable', url, 'connect-refused', 'refused to connect'))
            : Promise.resolve(found);
        },
      }),
      onChanged: () => undefined,
      ...over,
    });
    opened.start();
    return opened;
  }

  async function reopen(over: Parameters<typeof open>[0] = {}): Promise<void> {
    await members.stop();
    members = await open(over);
  }

  const reports = async (seq: number): Promise<readonly ReplicaReport[]> =>
    members.reports((await headOf(seq, await keyNamed('signer'), network.clock)).head);

  it('are called back before they are listed: nobody can name what is not its own', async () => {
    await members.join(request(0), never);
    assert.deepEqual(called, [urlOf(0)]);
    await assert.rejects(members.join(request(1, { urls: [urlOf(2)] }), never), problem(422, 'url-not-confirmed'));
    await assert.rejects(
      members.join(request(1, { urls: ['http://nobody.example'] }), never),
      problem(422, 'url-not-confirmed'),
    );
    await assert.rejects(
      members.join(request(1, { urls: [urlOf(1), urlOf(0)] }), never),
      problem(422, 'url-not-confirmed'),
    );
    assert.deepEqual(
      members.replicas().map((one) => one.key),
      [key(0)],
    );
  });

  it('are not called where replicas may not be', async () => {
    await assert.rejects(members.join(request(0, { urls: ['http://10.0.0.1'] }), never), problem(422, 'url-refused'));
    assert.deepEqual(called, []);
  });

  it('are called back once, not at each renewal; again at other URLs', async () => {
    for (let i = 0; i < 5; i++) await members.join(request(0, { held: heldAt(i) }), never);
    assert.equal(called.length, 1);
    nodes.set('http://moved.example', key(0));
    await members.join(request(0, { urls: ['http://moved.example'] }), never);
    assert.deepEqual(called, [urlOf(0), 'http://moved.example']);
    assert.equal(members.replicas().length, 1);
  });

  it('make the primary call a bounded number of URLs, whoever asks', async () => {
    const busy: string[] = [];
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 20; i++) {
        await members
          .join(request(i, { urls: ['http://victim.example'] }), never)
          .catch((error: unknown) => busy.push((error as CallProblem).type));
      }
    }
    assert.equal(called.length, 64);
    assert.equal(busy.filter((type) => type === 'busy').length, 400 - 64);
    network.clock.advance(1000);
    await members.join(request(0), never);
  });

  it('cannot have the key of the primary', async () => {
    await assert.rejects(members.join(request(39, { urls: [] }), never), problem(403, 'not-admitted'));
  });

  it('are where the last node was found that proved to be there', async () => {
    await members.join(request(0, { urls: [] }), never);
    await members.join(request(1), never);
    nodes.set(urlOf(1), key(0));
    await members.join(request(0, { urls: [urlOf(1)] }), never);
    const [zero, one] = [0, 1].map((i) => members.replicas().find((member) => member.key === key(i))?.urls);
    assert.deepEqual([zero, one], [[urlOf(1)], []]);
  });

  it('are out of the group when they are not heard of in time, whatever the wall clock does', async () => {
    await members.join(request(0), never);
    network.clock.step(86_400_000);
    members.look();
    assert.equal(members.replicas().length, 1);
    network.clock.step(-86_400_000);
    network.clock.advance(membershipTime - 1);
    members.look();
    assert.equal(members.replicas().length, 1);
    network.clock.advance(1);
    members.look();
    assert.deepEqual(members.replicas(), []);
    assert.deepEqual((await reports(1)).length, 0, 'an open one is forgotten');
  });

  it('are still there after a restart, with time to renew what they could not', async () => {
    for (let i = 0; i < 6; i++) await members.join(request(i, { held: heldAt(3) }), never);
    await members.leave(id(5));
    const before = (await reports(3)).map(({ id: of, parent, held }) => ({ of, parent, held }));
    await members.stop();
    network.clock.advance(7 * 86_400_000);
    members = await open();
    assert.deepEqual(
      (await reports(3)).map(({ id: of, parent, held }) => ({ of, parent, held })),
      before,
    );
    assert.ok(
      members.replicas().every(({ activeUntil }) => activeUntil > network.clock.now()),
      'none has time left',
    );
    await members.join(request(0), never);
    assert.equal(called.length, 6, 'who was confirmed is not called back again');
  });

  it('are not lost with a log that is damaged: they join anew', async () => {
    await members.join(request(0), never);
    await members.stop();
    await truncate(join(directory.path, 'members'), 40);
    members = await open();
    assert.ok(
      network.events.some(({ code }) => code === 'members-damaged'),
      'nothing was said',
    );
    await members.join(request(0), never);
    await members.stop();
    await writeFile(join(directory.path, 'members'), 'no log');
    members = await open();
    await members.join(request(0), never);
    assert.equal(members.replicas().length, 1);
  });

  it('of whom strangers there are not too many; those that are listed have their own room', async () => {
    members.admit({ ...openRules, mostOpen: 2, listed: new Set([id(3)]) });
    await members.join(request(0), never);
    await members.join(request(1), never);
    await assert.rejects(members.join(request(2), never), problem(503, 'full'));
    await members.join(request(3), never);
    await members.join(request(0, { held: heldAt(1) }), never);
    assert.deepEqual(
      members
        .replicas()
        .map(({ access }) => access)
        .sort(),
      ['listed', 'open', 'open'],
    );
  });

  it('are out at once if the operator does not list them any more', async () => {
    members.admit({ ...openRules, accept: 'listed', listed: new Set([id(0), id(1)]) });
    await members.join(request(0), never);
    await members.join(request(1), never);
    members.admit({ ...openRules, accept: 'listed', listed: new Set([id(1)]) });
    assert.deepEqual(
      members.replicas().map((one) => one.key),
      [key(1)],
    );
    assert.equal(members.keyOf(id(0)), null);
    await reopen({ rules: { ...openRules, accept: 'listed' } });
    assert.deepEqual(members.replicas(), []);
  });

  it('never say more of themselves than a statement can hold', async () => {
    const include = Array.from({ length: 7 }, (_, i) => `${i}${'x'.repeat(1000)}`);
    const signer = await keyNamed('signer');
    let full = 0;
    const many = Array.from({ length: 130 }, async (_, i) => (await keyNamed(`many ${i}`)).publicKey);
    for (const one of await Promise.all(many)) {
      const large = { ...request(0), key: one, urls: [], subset: { include, exclude: [], maxBytes: null } };
      await members.join(large, never).catch((error: unknown) => {
        full++;
        problem(503, 'full')(error);
      });
    }
    assert.ok(full > 0 && full < 60, `${full} were refused`);
    const now = network.clock.now();
    await signGroup(
      {
        ...{ namespace: site, epoch, version: 1, replicas: members.replicas(), policy },
        primary: { key: self(), urls: ['http://p.example'], place: null, capacity: 1 },
        ...{ issued: now, refreshAfter: now, expires: now },
      },
      signer,
    );
  }).timeout(60_000);

  it('lag by as many changes, and by the time since the first of them', async () => {
    members.noteHead({ epoch, seq: 1 });
    await members.join(request(0, { held: heldAt(1) }), never);
    network.clock.advance(1000);
    for (const seq of [2, 3]) {
      members.noteHead({ epoch, seq });
      network.clock.advance(500);
    }
    assert.deepEqual((await reports(3))[0]?.lag, { changes: 2, time: 1000 });
    await members.join(request(0, { held: heldAt(2) }), never);
    assert.deepEqual((await reports(3))[0]?.lag, { changes: 1, time: 500 });
    await members.join(request(0, { held: heldAt(3) }), never);
    assert.deepEqual((await reports(3))[0]?.lag, { changes: 0, time: 0 });
    await members.join(request(0, { held: { ...heldAt(3), root: heldAt(4).root } }), never);
    assert.equal((await reports(3))[0]?.lag.changes, 3, 'the same number with another root is nothing of it');
  });

  it('are waited for until all hold a version, leave, or are not heard of', async () => {
    for (const i of [0, 1, 2]) await members.join(request(i), never);
    let done = false;
    const waiting = members.waitForAll({ epoch, seq: 5 }, never).then(() => (done = true));
    await members.join(request(0, { held: heldAt(5) }), never);
    await members.leave(id(1));
    await members.join(request(2, { held: heldAt(4) }), never);
    await network.quiet();
    assert.equal(done, false);
    await members.join(request(2, { held: heldAt(6) }), never);
    await waiting;
    const controller = new AbortController();
    const given = members.waitForAll({ epoch, seq: 9 }, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(given, /enough/);
  });

  it('have places without loops or orphans, at most eight deep, whatever they do', async () => {
    const member = fc.integer({ min: 0, max: 29 });
    const act = fc.oneof(
      fc.record({
        kind: fc.constant('join' as const),
        member,
        hidden: fc.boolean(),
        part: fc.boolean(),
        slow: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('leave' as const), member }),
      fc.record({ kind: fc.constant('pass' as const), time: fc.integer({ min: 1, max: 600_000 }) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        for (const one of acts) {
          network.clock.advance(200);
          if (one.kind === 'leave') await members.leave(id(one.member));
          else if (one.kind === 'restart') await reopen();
          else if (one.kind === 'pass') {
            network.clock.advance(one.time);
            members.look();
          } else {
            const answer = await members.join(
              request(one.member, {
                urls: one.hidden ? [] : [urlOf(one.member)],
                subset: one.part ? { include: ['en/**'], exclude: [], maxBytes: null } : null,
                update: one.slow ? 'scheduled' : 'immediately',
              }),
              never,
            );
            const above = [answer.parent, ...answer.ancestors];
            assert.equal(above.at(-1)?.url, 'http://p.example');
            assert.equal(above.length, answer.depth);
            assert.ok(answer.depth <= 8, 'too deep');
            assert.ok(
              above.every(({ id: of }) => of !== id(one.member)),
              'above itself',
            );
          }
          const active = new Set(members.replicas().map((replica) => keyIdOf(replica.key)));
          for (const { parent, isActive } of await reports(1)) {
            assert.ok(!isActive || parent === null || active.has(parent), 'below one that is not there');
          }
        }
        for (let i = 0; i < 30; i++) await members.leave(id(i));
      }),
      { numRuns: 15 },
    );
  }).timeout(60_000);
});
