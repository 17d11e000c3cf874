import assert from 'node:assert/strict';
import fc from 'fast-check';
import { monotonicMs } from '../../config/units.js';
import { FailedAttempts } from '../../proxy/access/failed-attempts.js';

const prefix = { ipv4: 24, ipv6: 64 };
const begun = (attempts: FailedAttempts, client: string, times: number, at = 0): number =>
  Array.from({ length: times }, () => attempts.begin(client, monotonicMs(at))).filter((wait) => wait === null).length;

describe('failed attempts to log in', () => {
  it('may be ten at once, and then one every ten seconds', () => {
    const attempts = new FailedAttempts(prefix);
    assert.equal(begun(attempts, '192.0.2.1', 12), 10);
    assert.equal(attempts.begin('192.0.2.1', monotonicMs(0)), 10);
    assert.equal(attempts.begin('192.0.2.1', monotonicMs(7500)), 3);
    assert.equal(begun(attempts, '192.0.2.1', 2, 10_000), 1);
    assert.equal(begun(attempts, '192.0.2.1', 20, 1_000_000), 10);
  });

  it('count for all addresses of a client together, and for no other client', () => {
    const attempts = new FailedAttempts(prefix);
    assert.equal(begun(attempts, '192.0.2.1', 10), 10);
    assert.equal(begun(attempts, '192.0.2.200', 1), 0);
    assert.equal(begun(attempts, '::ffff:192.0.2.9', 1), 0);
    assert.equal(begun(attempts, '192.0.3.1', 1), 1);
    assert.equal(begun(attempts, '2001:db8::1', 11), 10);
    assert.equal(begun(attempts, '2001:db8::ffff:2', 1), 0);
    assert.equal(begun(attempts, '2001:db8:0:1::1', 1), 1);
  });

  it('that succeed after all are none', () => {
    const attempts = new FailedAttempts(prefix);
    for (let i = 0; i < 100; i++) {
      assert.equal(attempts.begin('192.0.2.1', monotonicMs(0)), null);
      attempts.succeeded('192.0.2.1');
    }
    attempts.succeeded('198.51.100.1');
    assert.equal(begun(attempts, '192.0.2.1', 11), 10);
  });

  it('are remembered for a bounded number of clients', () => {
    const attempts = new FailedAttempts({ ipv4: 32, ipv6: 64 });
    for (let i = 0; i < 100_000; i++) attempts.begin(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, monotonicMs(i));
    assert.ok(attempts.clients <= 2 * 16_384, String(attempts.clients));
  });

  it('are never more within a time than burst and recovery allow', () => {
    const steps = fc.array(fc.nat(40_000), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (pauses) => {
        const attempts = new FailedAttempts(prefix);
        const at: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          if (attempts.begin('192.0.2.1', monotonicMs(now)) === null) at.push(now);
        }
        for (const [i, from] of at.entries()) {
          for (const [j, to] of at.entries())
            if (j >= i) assert.ok(j - i + 1 <= 10 + (to - from) / 10_000 + 1e-9, String(j - i + 1));
        }
      }),
    );
  });
});
