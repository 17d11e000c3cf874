import assert from 'node:assert/strict';
import fc from 'fast-check';
import { monotonicMs } from '../../config/units.js';
import { RequestRate } from '../../proxy/http/request-rate.js';

const prefix = { ipv4: 32, ipv6: 64 };

/** How many of that many requests at once are admitted. */
function admitted(rate: RequestRate, address: string, now: number, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (rate.admit(address, monotonicMs(now))) count++;
  return count;
}

describe('the requests a second of each client (limits.perClientRate)', () => {
  it('as many as that at once, and then one whenever its share of a second has passed', () => {
    const rate = new RequestRate({ rate: 5, prefix });
    assert.equal(admitted(rate, 'a', 0, 10), 5);
    assert.equal(admitted(rate, 'a', 199, 10), 0);
    assert.equal(admitted(rate, 'a', 200, 10), 1);
    assert.equal(admitted(rate, 'a', 399, 10), 0);
    assert.equal(admitted(rate, 'a', 800, 10), 3);
    assert.equal(admitted(rate, 'a', 1799, 10), 4);
    assert.equal(admitted(rate, 'a', 60_000, 10), 5);
  });

  it('clients do not count for each other, addresses of one prefix do', () => {
    const rate = new RequestRate({ rate: 2, prefix });
    assert.equal(admitted(rate, '192.0.2.1', 0, 5), 2);
    assert.equal(admitted(rate, '192.0.2.2', 0, 5), 2);
    assert.equal(admitted(rate, '2001:db8::1', 0, 1), 1);
    assert.equal(admitted(rate, '2001:db8::2', 0, 5), 1);
  });

  it('what is refused costs nothing: a client that goes on trying gets its rate all the same', () => {
    const rate = new RequestRate({ rate: 10, prefix });
    let count = 0;
    for (let now = 0; now < 10_000; now++) count += admitted(rate, 'a', now, 3);
    assert.equal(count, 10 + 99);
  });

  it('is what a bucket of tokens for each client gives, which is never forgotten', () => {
    const visits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(900), fc.integer({ min: 1, max: 6 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), visits, (perSecond, all) => {
        const rate = new RequestRate({ rate: perSecond, prefix });
        const buckets = new Map<string, { tokens: number; at: number }>();
        let now = 0;
        for (const [client, later, tries] of all) {
          now += later;
          const bucket = buckets.get(client) ?? { tokens: perSecond, at: now };
          const tokens = Math.min(perSecond, bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
          const expected = Math.min(tries, Math.floor(tokens + 1e-6));
          buckets.set(client, { tokens: tokens - expected, at: now });
          assert.equal(admitted(rate, client, now, tries), expected);
        }
      }),
    );
  });

  it('remembers nobody for longer than two seconds, and never more than twice its bound', () => {
    const rate = new RequestRate({ rate: 1, prefix, clients: 100 });
    for (let i = 0; i < 10_000; i++) {
      rate.admit(`client-${i}`, monotonicMs(i / 100));
      assert.ok(rate.clients <= 200, String(rate.clients));
    }
    rate.admit('one', monotonicMs(2000));
    rate.admit('one', monotonicMs(4000));
    assert.equal(rate.clients, 1);
  });

  it('a flood of others within the bound makes nobody forgotten who has spent all', () => {
    const rate = new RequestRate({ rate: 1, prefix, clients: 1000 });
    assert.equal(admitted(rate, 'a', 0, 2), 1);
    for (let i = 0; i < 900; i++) rate.admit(`client-${i}`, monotonicMs(1));
    assert.equal(admitted(rate, 'a', 999, 2), 0);
    assert.equal(admitted(rate, 'a', 1000, 2), 1);
  });
});
