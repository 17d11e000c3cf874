import assert from 'node:assert/strict';
import fc from 'fast-check';
import { snippetOf } from '../../../wlis/search/snippet.js';
import { termsIn } from '../../../wlis/search/search-words.js';

const most = 1_000_000;
const shown = (text: string, words: string, limit = most): string =>
  snippetOf(text, { terms: new Set(termsIn(words)), most: limit })
    .map((piece) => (piece.isFound ? `[${piece.text}]` : piece.text))
    .join('');

describe('the part of a text that is shown', () => {
  it('is all of a short one, with what was asked for marked as it is written there', () => {
    assert.equal(shown('Die Grüße aus KÖLN.', 'grusse koln'), 'Die [Grüße] aus [KÖLN].');
    assert.equal(shown('nothing of it', 'x'), 'nothing of it');
    assert.equal(shown('', 'x'), '');
  });

  it('is that with most of the different words, and the first of several such', () => {
    const filler = 'lorem ipsum dolor sit amet '.repeat(40);
    const text = `alpha alpha alpha ${filler}alpha then beta ${filler}beta and alpha`;
    const part = shown(text, 'alpha beta');
    assert.match(part, /^… .*\[alpha\] then \[beta\] .* …$/);
    assert.doesNotMatch(part, /and \[alpha\]/);
    assert.ok(part.length < 300, part);
  });

  it('begins and ends with whole words, where these are not endless', () => {
    const text = 'word '.repeat(200) + 'needle ' + 'word '.repeat(200);
    assert.match(shown(text, 'needle'), /^… (?:word )+\[needle\](?: word)+ …$/);
    const endless = `${'x'.repeat(500)} needle ${'y'.repeat(500)}`;
    assert.ok(shown(endless, 'needle').length < 320, 'it is cut somewhere');
  });

  it('joins pairs of characters that lie over each other', () => {
    assert.equal(shown('これは東京都です', '東京都'), 'これは[東京都]です');
  });

  it('is the beginning where nobody looks further', () => {
    const text = `${'word '.repeat(200)}needle`;
    assert.match(shown(text, 'needle', 100), /^word (?:word ?)+ …$/);
    assert.match(shown(text, 'needle', 0), /^word (?:word ?)+ …$/);
  });

  it('is always a part of the text, whatever that is', () => {
    const unit = fc.constantFrom(...['a', 'b', ' ', 'é', '東', '京', '𠮷', '\u0301', '<', 'aaaaaaaaaaaaaaaaaaaaaaaa ']);
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 2000 }),
        fc.constantFrom('a', 'b e', '東京', 'aaaaaaaaaaaaaaaaaaaaaaaa'),
        (text, words) => {
          const pieces = snippetOf(text, { terms: new Set(termsIn(words)), most });
          const plain = pieces.map((piece) => piece.text).join('');
          const inner = plain.replace(/^… /, '').replace(/ …$/, '');
          assert.ok(text.includes(inner), inner);
          assert.ok(inner.length <= 400, `${inner.length} characters`);
          assert.doesNotMatch(inner, /\p{Surrogate}/u);
        },
      ),
      { numRuns: 300 },
    );
  });
});
