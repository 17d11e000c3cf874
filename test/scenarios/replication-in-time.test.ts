import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { AdjustableClock } from '../support/adjustable-clock.js';
import { gate } from '../support/gate.js';
import { LiedTo } from '../support/lied-to.js';
import { dripping, replayed } from '../support/lies.js';
import { RawClient } from '../support/raw-client.js';
import { aWhile, until } from '../support/waiting.js';

const files = { 'index.html': '<p>one</p>', 'a.txt': 'one', 'b.txt': 'two' };

describe('a replica in time', () => {
  let clock: AdjustableClock;

  beforeEach(() => (clock = new AdjustableClock()));

  for (const about of ['changes', 'blob', 'bundle', 'blocks']) {
    it(`gives up a parent that dribbles, serving what it holds: ${about}`, async () => {
      const many = (round: number): Record<string, string> =>
        Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${i}.txt`, `${round} ${i} ${'x'.repeat(2000)}`]));
      const all = await LiedTo.start({ files, replicaClock: clock, replicated: { patience: '1s' } });
      try {
        await all.inStep();
        const flowing = gate();
        all.liar.lie = dripping(about, flowing);
        // how they are pulled goes by how many are published at a time, on a busy system perhaps one by one
        for (let round = 0; !flowing.isOpen; round++) {
          await all.save({ ...many(round), 'big.bin': Buffer.alloc(200_000, `${round}`) });
          await Promise.race([flowing.promise, pause(3000, undefined, { ref: false })]);
        }
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
      await flood(
        all.replica.sitePort,
        Array.from({ length: 10_000 }, (_, i) => forged(1000 + i)),
      );
      await flood(
        all.replica.sitePort,
        Array.from({ length: 2000 }, (_, i) => notification(all, '9-0', i, null)),
      );
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
    for (let left = some.length; left > 0; left--) assert.equal((await client.receive()).status, 202);
    client.close();
  }
}
