import assert from 'node:assert/strict';
import fc from 'fast-check';
import { milliseconds, monotonicMs } from '../../../config/units.js';
import { Breaker } from '../../../wlis/health/breaker.js';

const at = monotonicMs;
const noJitter = 0.5;

describe('a breaker', () => {
  it('opens when a node cannot be reached, and lets somebody find out after a second', () => {
    const breaker = new Breaker();
    assert.equal(breaker.state(at(0)), 'closed');
    breaker.failed('unreachable', at(0), noJitter);
    assert.equal(breaker.state(at(999)), 'open');
    assert.equal(breaker.openFor(at(0)), 1000);
    assert.equal(breaker.state(at(1000)), 'probing');
    breaker.succeeded(at(1000), at(1010));
    assert.equal(breaker.state(at(1010)), 'closed');
  });

  it('stays open for twice as long after each trial that failed, up to five minutes', () => {
    const breaker = new Breaker();
    let now = 0;
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      breaker.failed('silent', at(now), noJitter);
      times.push(breaker.openFor(at(now)));
      now += times.at(-1) ?? 0;
    }
    assert.deepEqual(
      times,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((time) => time * 1000),
    );
  });

  it('takes all failures of requests that were under way together as one', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 200; i++) breaker.failed('unreachable', at(i), noJitter);
    assert.equal(breaker.openFor(at(0)), 1000);
  });

  it('begins anew after a minute in which all went well', () => {
    const breaker = new Breaker();
    breaker.failed('unreachable', at(0), noJitter);
    breaker.failed('unreachable', at(1000), noJitter);
    breaker.succeeded(at(3000), at(3000));
    breaker.succeeded(at(70_000), at(70_000));
    breaker.failed('unreachable', at(71_000), noJitter);
    assert.equal(breaker.openFor(at(71_000)), 1000);
  });

  it('does not begin anew when it fails again at once', () => {
    const breaker = new Breaker();
    breaker.failed('unreachable', at(0), noJitter);
    breaker.succeeded(at(1000), at(1000));
    breaker.failed('unreachable', at(1500), noJitter);
    assert.equal(breaker.openFor(at(1500)), 2000);
  });

  it('bears one broken answer, not two in a row; two answers with 5xx, not three', () => {
    for (const [reason, borne] of [
      ['broken', 1],
      ['status', 2],
    ] as const) {
      const breaker = new Breaker();
      for (let i = 0; i < borne; i++) breaker.failed(reason, at(i), noJitter);
      assert.equal(breaker.state(at(10)), 'closed', reason);
      breaker.succeeded(at(11), at(12));
      for (let i = 0; i < borne; i++) breaker.failed(reason, at(20 + i), noJitter);
      assert.equal(breaker.state(at(30)), 'closed', `${reason} after a good one`);
      breaker.failed(reason, at(31), noJitter);
      assert.equal(breaker.state(at(32)), 'open', reason);
    }
  });

  it('is not closed by what was sent before it opened', () => {
    const breaker = new Breaker();
    breaker.failed('silent', at(1000), noJitter);
    breaker.succeeded(at(900), at(1100));
    assert.equal(breaker.state(at(1100)), 'open');
    breaker.succeeded(at(1050), at(1200));
    assert.equal(breaker.state(at(1200)), 'closed');
  });

  it('opens for ten minutes for a lie, for forty for the second, and for a day at most', () => {
    const breaker = new Breaker();
    const times: number[] = [];
    let now = 0;
    for (let i = 0; i < 6; i++) {
      breaker.failed('false', at(now), noJitter);
      times.push(breaker.openFor(at(now)) / 60_000);
      now += breaker.openFor(at(now));
    }
    assert.deepEqual(times, [10, 40, 160, 640, 1440, 1440]);
    assert.equal(breaker.blames, 6);
  });

  it('is not closed after a lie by answers that are right, until one is asked for to find out', () => {
    const breaker = new Breaker();
    breaker.failed('false', at(0), noJitter);
    breaker.succeeded(at(10), at(20));
    breaker.succeeded(at(599_000), at(599_010));
    assert.equal(breaker.state(at(599_010)), 'open');
    breaker.succeeded(at(600_000), at(600_010));
    assert.equal(breaker.state(at(600_010)), 'closed');
    assert.equal(breaker.blames, 1, 'and the lie is not forgotten');
  });

  it('opens a quarter earlier or later, by chance', () => {
    for (const [chance, time] of [
      [0, 750],
      [1, 1250],
    ] as const) {
      const breaker = new Breaker();
      breaker.failed('silent', at(0), chance);
      assert.equal(breaker.openFor(at(0)), time);
    }
  });

  it('goes on after a restart for what was left of its time', () => {
    const before = new Breaker();
    before.failed('unreachable', at(0), noJitter);
    before.failed('unreachable', at(1000), noJitter);
    const after = new Breaker(before.remembered(at(1500)), at(77));
    assert.equal(after.openFor(at(77)), 1500);
    after.failed('unreachable', at(1577), noJitter);
    assert.equal(after.openFor(at(1577)), 4000);
  });

  it('is open for no longer than it may be, whatever was remembered', () => {
    const after = new Breaker({ openings: 64, blames: 0, openFor: milliseconds(1e12) }, at(0));
    assert.equal(after.openFor(at(0)), 300_000);
  });

  it('always ends its time, whatever happens', () => {
    const event = fc.tuple(
      fc.constantFrom('unreachable', 'silent', 'broken', 'status', 'false', 'well' as const),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const breaker = new Breaker();
        let now = 0;
        for (const [what, passed, chance] of events) {
          now += passed;
          if (what === 'well') breaker.succeeded(at(now), at(now));
          else breaker.failed(what, at(now), chance);
          const time = breaker.openFor(at(now));
          assert.ok(time >= 0 && time <= 86_400_000 * 1.25, `open for ${time} ms`);
        }
        const later = at(now + breaker.openFor(at(now)));
        assert.notEqual(breaker.state(later), 'open');
        breaker.succeeded(later, later);
        assert.equal(breaker.state(later), 'closed');
      }),
    );
  });
});
