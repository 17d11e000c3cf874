import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../config/units.js';
import { NodeLoad } from '../../proxy/base/node-load.js';
import { FakeClock } from '../support/fake-clock.js';

describe('the load of a node', () => {
  let clock: FakeClock;
  let busy: { active: number; idle: number };
  let load: NodeLoad;
  beforeEach(() => {
    clock = new FakeClock('2026-01-01T00:00:00Z');
    busy = { active: 100, idle: 100 };
    load = new NodeLoad(clock, () => ({ ...busy }));
  });

  /** Time in which it is busy for a share of it, with that many exchanges. */
  const pass = (time: number, share: number, exchanges = 0): void => {
    clock.advance(milliseconds(time));
    busy = { active: busy.active + time * share, idle: busy.idle + time * (1 - share) };
    for (let i = 0; i < exchanges; i++) load.count(bytes(1000));
  };

  const near = (value: number, expected: number): void =>
    assert.ok(Math.abs(value - expected) < 0.01 * expected, `${value} instead of ${expected}`);

  it('is nothing at first, and then what it has had to do in the last seconds', () => {
    assert.deepEqual(load.read(), { load: 0, rps: 0, bps: 0 });
    for (let i = 0; i < 60; i++) {
      pass(1000, 0.4, 120);
      load.read();
    }
    near(load.read().load, 0.4);
    near(load.read().rps, 120);
    near(load.read().bps, 120_000);
  });

  it('is measured over a second at least, however often it is read', () => {
    pass(900, 1, 90);
    assert.equal(load.read().load, 0);
    pass(100, 1, 10);
    const { load: share, rps } = load.read();
    near(rps / share, 100);
    pass(500, 0);
    assert.equal(load.read().load, share);
  });

  it('has forgotten most of it after some seconds, and all after a long time, however seldom it is read', () => {
    pass(60_000, 1, 60);
    near(load.read().load, 1);
    pass(5000, 0);
    near(load.read().load, Math.exp(-1));
    pass(60_000, 0);
    assert.ok(load.read().load < 0.001, `${load.read().load}`);
  });

  it('is that of this process where nobody says another one', () => {
    const own = new NodeLoad(clock);
    clock.advance(milliseconds(1000));
    const { load: share } = own.read();
    assert.ok(share >= 0 && share <= 1, `${share}`);
  });
});
