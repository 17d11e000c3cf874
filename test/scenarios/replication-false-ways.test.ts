import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { AdjustableClock } from '../support/adjustable-clock.js';
import { liesAboutChanges } from '../support/lies-about-changes.js';
import { liesAboutContents } from '../support/lies-about-contents.js';
import { liesAboutGroup, redirect, replayed, substituted } from '../support/lies.js';
import { LiedTo } from '../support/lied-to.js';
import { LyingParent } from '../support/lying-parent.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import { SiteNode } from '../support/site-node.js';
import { aWhile, until } from '../support/waiting.js';
import { startWillis, type Willis } from '../support/willis.js';
import { RunningClock } from '../support/running-clock.js';

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
    assert.ok(
      ancestors.every((url) => url === all.liar.url),
      `it has ${ancestors.join()} above it`,
    );
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
        await until(() =>
          all.refusals().some(({ reason, url }) => outcome.test(String(reason)) && url === all.liar.url),
        );
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
          if (answer?.status === 200)
            assert.ok(all.isGenuine(name, answer), `${name} is genuine in spite of ${lie.name}`);
          else if (answer !== null)
            assert.ok([404, 502, 503].includes(answer.status), `${answer.status} for ${lie.name}`);
        }
        all.liar.lie = null;
        await until(async () => (await all.visit(all.replica, 'a.txt')).body.toString() === `edit ${edit}`);
      }
    } finally {
      await all.stop();
    }
  });
});

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
