import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, milliseconds, monotonicMs } from '../../config/units.js';
import { BodyRate } from '../../proxy/http/body-rate.js';

const limit = { bodyRate: bytes(100), bodyTimeout: milliseconds(10_000) };
const body = {};

/** Looks once a second at a body of which so much moves each second. @returns the second in which it is too slow */
function lookedAt(rate: BodyRate, perSecond: (second: number) => number, waiting: (second: number) => boolean): number {
  let moved = 0;
  for (let second = 0; second < 1000; second++) {
    const now = monotonicMs(second * 1000);
    if (rate.isTooSlow(body, waiting(second), bytes(moved), now, limit)) return second;
    moved += perSecond(second);
  }
  return -1;
}

const always = (): boolean => true;

describe('the rate of a body (limits.bodyRate)', () => {
  it('is enough at exactly the rate, and too slow a byte below it after one window', () => {
    assert.equal(
      lookedAt(new BodyRate(), () => 100, always),
      -1,
    );
    assert.equal(
      lookedAt(new BodyRate(), (second) => (second === 5 ? 99 : 100), always),
      10,
    );
  });

  it('is an average over a window: bursts make up for pauses, but not for those of the next window', () => {
    assert.equal(
      lookedAt(new BodyRate(), (second) => (second % 10 === 9 ? 1000 : 0), always),
      -1,
    );
    assert.equal(
      lookedAt(new BodyRate(), (second) => (second === 0 ? 1_000_000 : 0), always),
      20,
    );
  });

  it('does not count the time for which nobody waits', () => {
    assert.equal(
      lookedAt(
        new BodyRate(),
        () => 0,
        () => false,
      ),
      -1,
    );
    assert.equal(
      lookedAt(
        new BodyRate(),
        () => 0,
        (second) => second < 10,
      ),
      -1,
    );
    assert.equal(
      lookedAt(
        new BodyRate(),
        () => 0,
        (second) => second < 5 || second >= 100,
      ),
      106,
    );
  });

  it('begins anew with the next body', () => {
    const rate = new BodyRate();
    for (let second = 0; second < 100; second++) {
      const subject = second % 9 === 0 ? null : body;
      assert.equal(rate.isTooSlow(subject, true, bytes(0), monotonicMs(second * 1000), limit), false);
    }
  });

  it('at a rate of 0 is always enough', () => {
    const rate = new BodyRate();
    for (let second = 0; second < 100; second++) {
      const now = monotonicMs(second * 1000);
      assert.equal(rate.isTooSlow(body, true, bytes(0), now, { ...limit, bodyRate: bytes(0) }), false);
    }
  });

  it('however irregular the looks are, at the rate all is well and at half of it is not', () => {
    const looks = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 100, maxLength: 200 });
    fc.assert(
      fc.property(looks, (steps) => {
        const [enough, half] = [new BodyRate(), new BodyRate()];
        let now = 0;
        let caught = false;
        for (const step of steps) {
          now += step;
          const moved = Math.ceil((now * 100) / 1000);
          assert.equal(enough.isTooSlow(body, true, bytes(moved), monotonicMs(now), limit), false);
          caught ||= half.isTooSlow(body, true, bytes(Math.floor(moved / 2)), monotonicMs(now), limit);
        }
        assert.ok(caught || now < 13_000, `${now}`);
      }),
    );
  });
});
