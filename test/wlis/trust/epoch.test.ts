import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs } from '../../../config/units.js';
import { compareEpochs, compareVersions, epochBegin, newEpoch, parseEpoch } from '../../../wlis/trust/epoch.js';
import { disbelief } from './disbelief.js';

const chances = fc.uint8Array({ minLength: 8, maxLength: 8 });
const epochs = fc
  .tuple(fc.integer({ min: 1, max: 4 }), chances)
  .map(([ms, chance]) => newEpoch(null, epochMs(ms), chance));
const versions = fc.record({ epoch: epochs, seq: fc.nat(3) });

describe('epochs', () => {
  it('are named by milliseconds and chance', () => {
    const chance = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 255);
    const epoch = newEpoch(null, epochMs(1_700_000_000_000), chance);
    assert.equal(epoch, '1700000000000-00010203040506ff');
    assert.equal(epochBegin(epoch), 1_700_000_000_000);
  });

  it('a new one is later than the one before, whatever the clock says', () => {
    fc.assert(
      fc.property(epochs, fc.integer({ min: 1, max: 10 }), chances, (previous, now, chance) => {
        const epoch = newEpoch(previous, epochMs(now), chance);
        assert.equal(compareEpochs(epoch, previous) > 0, true);
        assert.equal(epochBegin(epoch) >= now, true);
      }),
    );
  });

  it('are in one order, by time first, as numbers are compared and not as texts', () => {
    const [early, late] = ['999-0000000000000000', '1000-0000000000000000'].map((text) => parseEpoch(text));
    assert.equal(compareEpochs(early!, late!) < 0, true);
    fc.assert(
      fc.property(epochs, epochs, epochs, (a, b, c) => {
        assert.equal(Math.sign(compareEpochs(a, b)), -Math.sign(compareEpochs(b, a)) || 0);
        assert.equal(compareEpochs(a, b) === 0, a === b);
        if (compareEpochs(a, b) <= 0 && compareEpochs(b, c) <= 0) assert.equal(compareEpochs(a, c) <= 0, true);
      }),
    );
  });

  it('count before the numbers of changes', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const expected = a.epoch === b.epoch ? a.seq - b.seq : compareEpochs(a.epoch, b.epoch);
        assert.equal(Math.sign(compareVersions(a, b)), Math.sign(expected));
      }),
    );
  });

  const digits = '0123456789abcdef';
  for (const text of [
    '',
    '1',
    `0-${digits}`,
    `01-${digits}`,
    `1-${digits}0`,
    `1-${digits.toUpperCase()}`,
    `-1-${digits}`,
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.throws(() => parseEpoch(text), disbelief('malformed')));
  }
});
