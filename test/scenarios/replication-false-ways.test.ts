import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { gate } from '../support/gate.js';
import { AdjustableClock } from '../support/adjustable-clock.js';
import { dripping, liesAboutChanges, liesAboutContents, liesAboutGroup, redirect, replayed, substituted } from '../support/lies.js';
import { LiedTo } from '../support/lied-to.js';
import { LyingParent } from '../support/lying-parent.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import { SiteNode } from '../support/site-node.js';
import { aWhile, until } from '../support/waiting.js';
import { startWillis, type Willis } from '../support/willis.js';
import { RunningClock } from '../support/running-clock.js';
import { RawClient } from '../support/raw-client.js';

const files = { 'index.html': '<p>one</p>', 'a.txt': 'one', 'b.txt': 'two' };

describe('a replica that is sent elsewhere', () => {
  let all: LiedTo;
  let victim: RawOrigin;

  beforeEach(async () => {
    victim = await rawOrigin((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    all = await LiedTo.start({ files });
    await all.inStep();
  });
  afterEach(async () => {
    await all.stop();
    await victim.close();
  });

  it('follows no redirect', async () => {
    const to = `http://127.0.0.1:${victim.port}`;
    for (const about of ['changes', 'replicas', 'blob']) {
      all.liar.lie = redirect(about, to);
      await all.save({ 'a.txt': `for ${about}` });
      await until(() => all.liar.told > 0);
      all.liar.lie = null;
      await all.save({ 'b.txt': `for ${about}` });
      await all.inStep();
    }
    assert.equal(victim.connections.length, 0);
  });

  it('calls no parent whom the group does not name, whatever the answer to its joining says', async () => {
    const id = randomBytes(32).toString('base64url');
    const parent = { id, url: `http://127.0.0.1:${victim.port}` };
    all.liar.lie = substituted('replicas', 'a victim as parent', 'nothing', (text) =>
      canonicalJson({ ...(JSON.parse(text) as JsonObject), parent, ancestors: [parent], depth: 2 }),
    );
    for (let edit = 0; edit < 3; edit++) {
      await all.save({ 'a.txt': `edit ${edit}` });
      await all.inStep();
    }
    await until(() => all.liar.told > 0);
    await all.save({ 'a.txt': 'the last' });
    await all.inStep();
    await aWhile();
    const { ancestors, parent: above } = await all.reportOf(all.replica);
    assert.deepEqual([victim.connections.length, above], [0, all.liar.url]);
    assert.ok(ancestors.every((url) => url === all.liar.url), `it has ${ancestors.join()} above it`);
  });

  it('takes nothing from an impostor at the address of its primary, and goes on when the true one is back', async () => {
    const impostor = await impostorOf(all);
    try {
      const before = (await all.reportOf(all.replica)).version;
      all.liar.leadTo(impostor.sitePort);
      await until(async () => ((await all.reportOf(all.replica)).counters.refused['wrong-signature'] ?? 0) > 0);
      assert.deepEqual((await all.reportOf(all.replica)).version, before);
      await all.assertGenuine();
    } finally {
      await impostor.stop();
    }
    all.liar.leadTo(all.primary.sitePort);
    await all.save({ 'a.txt': 'true' });
    await all.inStep();
  });
});

/** A node that publishes the same namespace, with keys of its own and other documents. */
async function impostorOf(all: LiedTo): Promise<Willis> {
  const directory = (await all.data.write('false/site/a.txt', 'false')).replace(/\/a\.txt$/, '');
  return startWillis({
    clock: new RunningClock(),
    config: {
      node: { name: 'impostor', data: `${all.data.path}/false`, url: all.liar.url },
      ...{ roles: [], sites: [], listen: { proxy: null, site: '127.0.0.1:0', admin: null } },
      primary: { namespaces: [{ url: all.namespace, directory, replicas: { accept: 'open' } }] },
    },
  });
}

describe('a replica that begins among lies', () => {
  let all: LiedTo;

  before(async () => {
    all = await LiedTo.start({ files });
    await all.inStep();
  });
  after(() => all.stop());

  for (const lie of liesAboutGroup) {
    it(`holds nothing until it hears the truth: ${lie.name}`, async () => {
      await all.forgetReplica();
      all.liar.lie = lie;
      await all.startReplica();
      await until(() => all.liar.told > 0);
      const { outcome } = lie;
      if (outcome instanceof RegExp) {
        await until(() => all.refusals().some(({ reason, url }) => outcome.test(String(reason)) && url === all.liar.url));
      }
      all.liar.lie = null;
      await all.inStep();
      await until(async () => (await all.reportOf(all.replica)).activeUntil !== null);
    });
  }
});

describe('a replica that fetches what visitors ask for', () => {
  it('gives them nothing rather than what is false, and what is true when it hears it', async () => {
    const all = await LiedTo.start({ files, replicated: { onChange: 'markStale' } });
    try {
      await all.inStep();
      for (const [edit, lie] of liesAboutContents.filter(({ about }) => !about.includes('bundle')).entries()) {
        await all.save({ 'a.txt': `edit ${edit}`, 'big.bin': Buffer.alloc(200_000, edit + 1) });
        await all.published();
        all.liar.lie = lie;
        for (const name of ['a.txt', 'big.bin']) {
          // a connection that breaks says that it is not all
          const answer = await all.visit(all.replica, name).catch(() => null);
          if (answer?.status === 200) assert.ok(all.isGenuine(name, answer), `${name} is genuine in spite of ${lie.name}`);
          else if (answer !== null) assert.ok([404, 502, 503].includes(answer.status), `${answer.status} for ${lie.name}`);
        }
        all.liar.lie = null;
        await until(async () => (await all.visit(all.replica, 'a.txt')).body.toString() === `edit ${edit}`);
      }
    } finally {
      await all.stop();
    }
  });
});

describe('a replica in time', () => {
  let clock: AdjustableClock;

  beforeEach(() => (clock = new AdjustableClock()));

  for (const about of ['changes', 'blob', 'bundle', 'blocks']) {
    it(`gives up a parent that dribbles, serving what it holds: ${about}`, async () => {
      const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${i}.txt`, `${i} ${'x'.repeat(2000)}`]));
      const all = await LiedTo.start({ files, replicaClock: clock });
      try {
        await all.inStep();
        const flowing = gate();
        all.liar.lie = dripping(about, flowing);
        await all.save({ ...many, 'big.bin': Buffer.alloc(200_000, 'y') });
        await flowing.promise;
        const calls = all.liar.count(`GET ${about}`);
        clock.advance(16_000);
        // it is tried again, or something else is
        await until(() => all.liar.count(`GET ${about}`) > calls || all.liar.calls.at(-1) !== `GET ${about}`);
        await all.assertGenuine();
        all.liar.lie = null;
        clock.advance(16_000);
        await all.inStep();
      } finally {
        await all.stop();
      }
    });
  }

  it('serves on when all that it hears are heads that have expired, and says that this is not confirmed', async () => {
    const all = await LiedTo.start({ files, replicaClock: clock });
    try {
      await all.inStep();
      assert.match((await all.visit(all.replica, 'a.txt')).get('cache-status') ?? '', /detail=authoritative/);
      all.liar.lie = replayed();
      await until(() => all.liar.told > 0);
      clock.advance(400_000);
      assert.equal(await all.assertGenuine(), 0);
      assert.match((await all.visit(all.replica, 'a.txt')).get('cache-status') ?? '', /detail=unconfirmed/);
      all.liar.lie = null;
      await all.save({ 'a.txt': 'two' });
      await all.inStep();
    } finally {
      await all.stop();
    }
  });

  it('makes a bounded number of calls because of 10,000 notifications, and still hears the true one', async () => {
    const all = await LiedTo.start({ files, replicaClock: clock });
    try {
      await all.inStep();
      await all.save({ 'a.txt': 'two' });
      await all.inStep();
      const { version } = await all.reportOf(all.replica);
      const forged = (seq: number): string =>
        notification(all, version?.epoch ?? '', seq, forgedHead(all.namespace, version?.epoch ?? '', seq));
      clock.halt();
      const before = all.liar.calls.length;
      await flood(all.replica.sitePort, Array.from({ length: 10_000 }, (_, i) => forged(1000 + i)));
      await flood(all.replica.sitePort, Array.from({ length: 2000 }, (_, i) => notification(all, '9-0', i, null)));
      await aWhile();
      const calls = all.liar.calls.length - before;
      assert.ok(calls <= 40, `${calls} calls came of it`);
      const { counters } = await all.reportOf(all.replica);
      assert.ok(counters.notificationsReceived >= 12_000, `${counters.notificationsReceived} were counted`);
      clock.goOn();
      await all.save({ 'a.txt': 'three' });
      await all.inStep();
    } finally {
      await all.stop();
    }
  });
});

function notification(all: LiedTo, epoch: string, seq: number, head: string | null): string {
  const path = `/.well-known/wlis/changed?namespace=${encodeURIComponent(all.namespace)}&epoch=${epoch}&seq=${seq}&n=${seq}`;
  const field = head === null ? '' : `WLIS-Head: "${head}";age=0\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: ${all.front.authority}\r\n${field}\r\n`;
}

function forgedHead(namespace: string, epoch: string, seq: number): string {
  const part = (value: JsonObject): string => Buffer.from(canonicalJson(value)).toString('base64url');
  const times = { issued: 2_000_000_000_000, refreshAfter: 2_000_000_000_000, expires: 2_000_000_000_000 };
  const head = part({ alg: 'EdDSA', kid: 'A'.repeat(43), typ: 'wlis-head' });
  return `${head}.${part({ namespace, epoch, seq, root: '0'.repeat(64), ...times })}.${'A'.repeat(86)}`;
}

/** All of them over a few connections, each answered by 202. */
async function flood(port: number, requests: readonly string[]): Promise<void> {
  const each = 1000;
  for (let at = 0; at < requests.length; at += each) {
    const client = await RawClient.connect(port);
    const some = requests.slice(at, at + each);
    client.send(some.join(''));
    for (const _ of some) assert.equal((await client.receive()).status, 202);
    client.close();
  }
}

describe('a replica below one that lies', () => {
  let site: ReplicatedSite;
  let liar: LyingParent;
  let low: SiteNode;
  const clock = new AdjustableClock();

  beforeEach(async () => {
    site = await ReplicatedSite.make({ keys: { replicas: { fanOut: 1 } } });
    await site.primary.start();
    for (const [name, content] of Object.entries(files)) await site.put(name, content);
    liar = await LyingParent.open();
    const [middle] = (await site.startChain(1)) as [SiteNode];
    liar.leadTo(middle.running.port('site'));
    middle.front.leadTo(liar.port);
    const namespaces = [{ url: site.namespace, from: site.primary.front.url, pollEvery: '1s' }];
    const config = { wlis: { trust: { firstUse: true } }, replicated: { namespaces } };
    low = await SiteNode.make({ name: 'low', isProcess: false, clock, config });
    site.replicas.push(low);
    await low.start();
    await site.inStep();
    await site.pullsFrom(low, middle);
  });
  afterEach(async () => {
    await site.close();
    await liar.close();
  });

  it('gets in step by those above, and says who lied', async () => {
    const refutable = [...liesAboutChanges, ...liesAboutContents].filter(({ outcome }) => outcome instanceof RegExp);
    for (const [edit, lie] of refutable.filter((_, i) => i % 6 === 0).entries()) {
      // whoever failed comes back to its place
      clock.advance(301_000);
      liar.lie = lie;
      await site.put('a.txt', `edit ${edit}`);
      await site.put('big.bin', Buffer.alloc(150_000, edit));
      await site.inStep([low]);
      assert.equal(await site.text(low, 'a.txt'), `edit ${edit}`);
    }
    const refusals = low.events.filter(({ code }) => code === 'refused');
    assert.ok(refusals.length > 0, 'something was refused');
    assert.deepEqual([...new Set(refusals.map(({ url }) => url))], [site.replicas[0]?.front.url]);
  });

  it('looks further up when all that it hears is what was', async () => {
    low.front.loses = (request) => request.includes('/changed?');
    liar.lie = replayed();
    await until(() => liar.told > 1);
    await site.put('a.txt', 'news');
    await site.inStep([site.replicas[0] as SiteNode]);
    const [told, { version }] = [liar.told, await low.report()];
    await until(() => liar.told > told);
    assert.deepEqual((await low.report()).version, version);
    // its head should have been stated anew two minutes after it was
    clock.advance(160_000);
    await site.inStep([low]);
    assert.equal(await site.text(low, 'a.txt'), 'news');
  });
});
