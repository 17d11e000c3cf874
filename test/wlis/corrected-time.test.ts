import assert from 'node:assert/strict';
import fc from 'fast-check';
import { milliseconds } from '../../config/units.js';
import { CorrectedTime } from '../../wlis/corrected-time.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { FakeClock } from '../support/fake-clock.js';

const namespaceOf = (n: number) => parseNamespace(`http://n${n}.example/`);

describe('the time by which calls are dated (decision 23)', () => {
  const noted = (...offsets: number[]): CorrectedTime => {
    const time = new CorrectedTime(new FakeClock());
    for (const [n, offset] of offsets.entries()) time.note(namespaceOf(n), milliseconds(offset));
    return time;
  };

  it('is that of the own clock as long as no primary says another, or one that a round trip explains', () => {
    const clock = new FakeClock();
    const time = new CorrectedTime(clock);
    assert.equal(time.now(), clock.now());
    for (const offset of [4999, -4999]) {
      time.note(namespaceOf(1), milliseconds(offset));
      assert.deepEqual([time.offset, time.now()], [0, clock.now()]);
    }
  });

  it('is that of the primary if there is one namespace, forward or back', () => {
    for (const offset of [3_600_000, -3_600_000]) {
      const clock = new FakeClock();
      const time = new CorrectedTime(clock);
      time.note(namespaceOf(1), milliseconds(offset));
      assert.equal(time.now(), clock.now() + offset);
      clock.advance(1000);
      assert.equal(time.now(), clock.now() + offset, 'it goes on with the clock');
    }
  });

  it('is changed by no primary alone where there are three', () => {
    assert.equal(noted(0, 100, 3_600_000).offset, 0);
    assert.equal(noted(0, 0, -3_600_000).offset, 0);
    assert.equal(noted(3_600_000, 3_600_000, 0).offset, 3_600_000);
  });

  it('follows the last word of each, and forgets what is not held any more', () => {
    const time = noted(60_000);
    time.note(namespaceOf(0), milliseconds(90_000));
    assert.equal(time.offset, 90_000);
    time.forget(namespaceOf(0));
    assert.equal(time.offset, 0);
  });

  it('is never further off than the primaries say', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 1 }), (offsets) => {
        const { offset } = noted(...offsets);
        const seen = offsets.map((one) => (Math.abs(one) < 5000 ? 0 : one));
        assert.ok(seen.includes(offset), 'what one of them says');
        const below = seen.filter((one) => one < offset).length;
        const above = seen.filter((one) => one > offset).length;
        assert.ok(below <= seen.length / 2 && above <= seen.length / 2, 'the one in the middle');
      }),
    );
  });
});
