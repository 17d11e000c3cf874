import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, monotonicMs, type Milliseconds } from '../../../config/units.js';
import { Bandwidth } from '../../../replication/pull/bandwidth.js';
import { retryDelay } from '../../../replication/pull/retry-delay.js';
import { TokenBucket } from '../../../replication/pull/token-bucket.js';
import { FakeClock } from '../../support/fake-clock.js';

const never = new AbortController().signal;

describe('a token bucket', () => {
  it('lets pass so many bytes a second, and those of one second more, whatever the sizes and times', () => {
    const step = fc.record({ size: fc.nat(200_000), idle: fc.nat(3000) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.array(step, { maxLength: 50 }), (rate, steps) => {
        let now = 0;
        const bucket = new TokenBucket(bytes(rate), monotonicMs(now));
        let total = 0;
        for (const { size, idle } of steps) {
          now += idle;
          bucket.pay(bytes(size), monotonicMs(now));
          now += bucket.owed(monotonicMs(now));
          total += size;
          assert.ok(total <= (rate * (now + 1000)) / 1000 + 1, `${total} bytes in ${now} ms at ${rate}`);
          assert.ok(bucket.owed(monotonicMs(now)) < 1e-6, 'something is owed still');
        }
      }),
    );
  });

  it('owes as many bytes as before when its rate changes', () => {
    const bucket = new TokenBucket(bytes(1000), monotonicMs(0));
    bucket.pay(bytes(5000), monotonicMs(0));
    assert.equal(bucket.owed(monotonicMs(0)), 4000);
    bucket.changeRate(bytes(8000), monotonicMs(0));
    assert.equal(bucket.owed(monotonicMs(0)), 500);
    assert.equal(bucket.owed(monotonicMs(600)), 0);
  });
});

describe('the bandwidth of pulling', () => {
  let clock: FakeClock;
  let pauses: number[];

  beforeEach(() => {
    clock = new FakeClock();
    pauses = [];
  });

  const pause = (time: Milliseconds, signal: AbortSignal): Promise<void> => {
    pauses.push(time);
    if (!signal.aborted) clock.advance(time);
    return Promise.resolve();
  };

  it('holds all who pull back together', async () => {
    const bandwidth = new Bandwidth({ limit: bytes(10_000), clock, pause });
    for (let i = 0; i < 50; i++) await bandwidth.passed(bytes(1000), never);
    assert.equal(clock.monotonic(), 4000);
    await Promise.all(Array.from({ length: 10 }, () => bandwidth.passed(bytes(1000), never)));
    assert.equal(clock.monotonic(), 5000);
    assert.ok(
      pauses.every((time) => time >= 20),
      'it pauses for less than timers can',
    );
  });

  it('holds nobody back without a limit', async () => {
    const bandwidth = new Bandwidth({ limit: null, clock, pause });
    await bandwidth.passed(bytes(1e12), never);
    assert.deepEqual(pauses, []);
  });

  it('can be changed while somebody is held back, and ended', async () => {
    const hanging = (time: Milliseconds, signal: AbortSignal): Promise<void> => {
      pauses.push(time);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    const bandwidth = new Bandwidth({ limit: bytes(1000), clock, pause: hanging });
    let isOver = false;
    const passed = bandwidth.passed(bytes(9000), never).then(() => (isOver = true));
    bandwidth.limit = bytes(2000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([pauses, isOver], [[8000, 4000], false]);
    bandwidth.limit = null;
    await passed;
    assert.equal(bandwidth.limit, null);
    bandwidth.limit = bytes(1);
    const ending = new AbortController();
    const ended = bandwidth.passed(bytes(1000), ending.signal);
    ending.abort();
    await ended;
    assert.throws(() => (bandwidth.limit = bytes(0)), RangeError);
  });
});

describe('the time until sources are asked again', () => {
  it('doubles from half a second to a second up to a minute at most', () => {
    assert.deepEqual(
      [retryDelay(1, 0), retryDelay(1, 0.5), retryDelay(2, 0), retryDelay(3, 0)],
      [500, 750, 1000, 2000],
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (n, chance) => {
          const delay = retryDelay(n, chance);
          assert.ok(delay >= 500 && delay <= 60_000 && (n < 7 || delay >= 30_000), String(delay));
        },
      ),
    );
  });
});
