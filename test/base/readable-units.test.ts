import assert from 'node:assert/strict';
import { bytes, seconds } from '../../config/units.js';
import { readableDuration, readableSize } from '../../proxy/base/readable-units.js';

describe('what people read', () => {
  for (const [duration, text] of [
    [0, '0 s'],
    [0.42, '0.4 s'],
    [9.96, '10.0 s'],
    [48, '48 s'],
    [59.7, '1 min'],
    [60, '1 min'],
    [125, '2 min 5 s'],
    [3600, '1 h'],
    [3661, '1 h 1 min'],
    [11_520, '3 h 12 min'],
    [86_400 * 12 + 3 * 3600 + 59, '12 d 3 h'],
    [-5, '−5 s'],
    [Infinity, 'for ever'],
  ] as const) {
    it(`of ${duration} seconds is ${text}`, () => assert.equal(readableDuration(seconds(duration)), text));
  }

  for (const [size, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KiB'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [99.9 * 1024, '99.9 KiB'],
    [100.4 * 1024, '100 KiB'],
    [1023 * 1024, '1.0 MiB'],
    [64 * 1024 ** 2, '64 MiB'],
    [2.5 * 1024 ** 4, '2.5 TiB'],
    [5000 * 1024 ** 4, '5000 TiB'],
  ] as const) {
    it(`of ${size} bytes is ${text}`, () => assert.equal(readableSize(bytes(size)), text));
  }
});
