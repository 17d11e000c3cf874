import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatByteSize, parseByteSize } from '../../config/byte-size.js';
import { bytes } from '../../config/units.js';

describe('sizes', () => {
  const readings: [string, number][] = [
    ['1500', 1500],
    ['1B', 1],
    ['32KiB', 32_768],
    ['64MiB', 67_108_864],
    ['64MB', 64_000_000],
    ['1.5GiB', 1_610_612_736],
    ['1TiB', 2 ** 40],
    ['0', 0],
  ];
  for (const [text, expected] of readings) {
    it(`${text} is ${expected} bytes`, () => assert.equal(parseByteSize(text), expected));
  }

  for (const text of ['', '-1', '64 MiB', '64mib', '64M', '1.5', '0x10', '1e3', 'MiB', '9999999TiB']) {
    it(`${JSON.stringify(text)} is no size`, () => assert.equal(parseByteSize(text), null));
  }

  it('a size that is written out reads as itself', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 1024, 2 ** 20), (n, unit) => {
        assert.equal(parseByteSize(formatByteSize(bytes(n * unit))), n * unit);
      }),
    );
  });

  it('any text is read or refused, never an error', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseByteSize(text)));
  });
});
