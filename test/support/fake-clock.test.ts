import assert from 'node:assert/strict';
import { FakeClock } from './fake-clock.js';

describe('FakeClock', () => {
  it('stands still, and goes on by what it is told', () => {
    const clock = new FakeClock('2026-01-01T00:00:00Z');
    assert.equal(clock.now(), Date.UTC(2026, 0, 1));
    clock.advance(1500);
    assert.equal(clock.now(), Date.UTC(2026, 0, 1) + 1500);
    assert.equal(clock.monotonic(), 1500);
  });

  it('lets the wall clock be set back without time passing', () => {
    const clock = new FakeClock();
    const before = clock.now();
    clock.step(-60_000);
    assert.equal(clock.now(), before - 60_000);
    assert.equal(clock.monotonic(), 0);
    assert.throws(() => clock.advance(-1), RangeError);
  });

  it('writes its time as an IMF-fixdate (RFC 9110 §5.6.7)', () => {
    const clock = new FakeClock('1994-11-06T08:49:37Z');
    assert.equal(clock.httpDate(), 'Sun, 06 Nov 1994 08:49:37 GMT');
    assert.equal(clock.httpDate(-37), 'Sun, 06 Nov 1994 08:49:00 GMT');
  });
});
