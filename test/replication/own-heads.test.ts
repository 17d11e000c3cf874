import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, milliseconds } from '../../config/units.js';
import { headTimes } from '../../replication/head-timing.js';
import { OwnHeads } from '../../replication/own-heads.js';
import { digestOfText } from '../../wlis/trust/digest.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';

const epoch = parseEpoch('1700000000000-0123456789abcdef');
const earlier = parseEpoch('1600000000000-0123456789abcdef');
const later = parseEpoch('1700000000001-0123456789abcdef');
const head = (seq: number, root = `root ${seq}`, of = epoch) => ({ epoch: of, seq, root: digestOfText(root) });

describe('the heads that a primary knows to be its own', () => {
  it('are those of earlier epochs, and those of its epoch that it has signed', () => {
    const own = new OwnHeads(epoch, 5, digestOfText('root 5'));
    own.add(head(8));
    for (const known of [head(5), head(8), head(900, 'any', earlier)]) assert.equal(own.knows(known), true);
  });

  it('are none with a later number, another root, or of a later epoch, nor with a number for which it signed none', () => {
    const own = new OwnHeads(epoch, 5, digestOfText('root 5'));
    own.add(head(8));
    for (const strange of [head(9), head(8, 'other'), head(5, 'other'), head(6), head(1, 'any', later)])
      assert.equal(own.knows(strange), false);
  });

  it('may be any up to where it began, of which it knows only the end', () => {
    const own = new OwnHeads(epoch, 5, digestOfText('root 5'));
    for (const seq of [0, 1, 4]) assert.equal(own.knows(head(seq, 'any')), true);
  });

  it('are remembered up to a bound; those that are forgotten may be any', () => {
    const own = new OwnHeads(epoch, 0, digestOfText('root 0'));
    for (let seq = 1; seq <= 5000; seq++) own.add(head(seq));
    assert.equal(own.knows(head(4999, 'other')), false);
    assert.equal(own.knows(head(10, 'other')), true);
    assert.equal(own.knows(head(5001)), false);
  });
});

describe('the times of heads', () => {
  const timing = { heartbeat: milliseconds(60_000), lifetime: milliseconds(300_000) };

  it('go on, whatever the clock does, and are those of the clock where it goes on', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 42 }), { minLength: 1 }), (readings) => {
        let previous = null;
        for (const now of readings) {
          const { issued, refreshAfter, expires } = headTimes(previous, epochMs(now), timing);
          assert.ok(previous === null || issued > previous, `${issued} after ${previous}`);
          assert.equal(issued, previous === null || now > previous ? now : previous + 1);
          assert.deepEqual([refreshAfter - issued, expires - issued], [120_000, 300_000]);
          previous = issued;
        }
      }),
    );
  });

  it('never have the end before the time from which on a newer one is to be asked for', () => {
    const short = { heartbeat: milliseconds(60_000), lifetime: milliseconds(90_000) };
    const { refreshAfter, expires } = headTimes(null, epochMs(5), short);
    assert.deepEqual([refreshAfter, expires], [90_005, 90_005]);
  });
});
