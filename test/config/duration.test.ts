import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../config/duration.js';
import { milliseconds } from '../../config/units.js';

describe('durations', () => {
  const readings: [string, number][] = [
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ];
  for (const [text, expected] of readings) {
    it(`${text} is ${expected} milliseconds`, () => assert.equal(parseDuration(text), expected));
  }

  for (const text of ['', '5', '5 s', '-5s', '5S', 's', '1h30m', '1e3s', '0.1ms', '٣s', '999999999999999d', 'NaNs']) {
    it(`${JSON.stringify(text)} is no duration`, () => assert.equal(parseDuration(text), null));
  }

  it('a duration that is written out reads as itself', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000_000), (n) => {
        assert.equal(parseDuration(formatDuration(milliseconds(n))), n);
      }),
    );
  });

  it('any text is read or refused, never an error', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDuration(text)));
  });

  it('a duration is written in the largest unit that leaves it whole', () => {
    const written = [86_400_000, 90_000, 60_000, 1500, 0].map((n) => formatDuration(milliseconds(n)));
    assert.deepEqual(written, ['1d', '90s', '1m', '1500ms', '0s']);
  });
});
