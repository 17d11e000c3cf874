import assert from 'node:assert/strict';
import { robotsWords } from '../../../../wlis/html/extract/robots-words.js';

describe('words for robots', () => {
  for (const [value, noindex, nofollow] of [
    ['', false, false],
    ['noindex', true, false],
    ['NOFOLLOW', false, true],
    ['none', true, true],
    ['index, nofollow', false, true],
    ['noindex,nofollow', true, true],
    ['noindexing', false, false],
    ['unavailable_after: 25 Jun 2010 15:00:00 PST, noindex', true, false],
    ['max-image-preview:large, nofollow', false, true],
    ['otherbot: noindex, nofollow', false, false],
    ['nofollow, otherbot: noindex', false, true],
  ] as const) {
    it(`'${value}'`, () => assert.deepEqual(robotsWords(value), { noindex, nofollow }));
  }
});
