import assert from 'node:assert/strict';
import fc from 'fast-check';
import { queryTerms } from '../../../wlis/search/search-query.js';
import { longestTerm, termsIn, wordsIn } from '../../../wlis/search/search-words.js';

describe('the words of a text', () => {
  const terms = (text: string, expected: string): void => assert.equal(termsIn(text).join(' '), expected, text);

  it('are runs of letters and digits of any script, in lower case', () => {
    terms('The list_append(x) of Python 3.11, e.g. “Foo-bar”!', 'the list append x of python 3 11 e g foo bar');
    terms('Санкт-Петербург Ёлка', 'санкт петербург елка');
    terms('नमस्ते दुनिया', 'नमस्ते दुनिया');
    terms('', '');
    terms('… – ?!\n\t', '');
  });

  it('are the same however they are accented, composed or wide', () => {
    for (const one of ['Köln', 'Ko\u0308ln', 'KÖLN', 'ｋöｌｎ']) terms(one, 'koln');
    for (const one of ['Grüße', 'grusse', 'GRÜSSE']) terms(one, 'grusse');
    for (const one of ['Ångström', 'angstrom']) terms(one, 'angstrom');
    for (const one of ['Łódź', 'lodz']) terms(one, 'lodz');
    for (const one of ['ﬁnden', 'finden']) terms(one, 'finden');
    for (const one of ['İstanbul', 'istanbul', 'ıstanbul']) terms(one, 'istanbul');
    for (const one of ['Οδυσσεύς', 'οδυσσευς', 'ΟΔΥΣΣΕΥΣ']) terms(one, 'οδυσσευσ');
    for (const one of ['مُحَمَّد', 'محمد', 'محـــمد']) terms(one, 'محمد');
    for (const one of ['שָׁלוֹם', 'שלום']) terms(one, 'שלום');
    terms('か\u3099', 'が');
  });

  it('are pairs of characters where words have no spaces between them, and the last by itself', () => {
    terms('東京都', '東京 京都 都');
    terms('Python入門', 'python 入門 門');
    terms('カタカナー', 'カタ タカ カナ ナー ー');
    terms('𠮷野家', '𠮷野 野家 家');
    terms('ภาษา', 'ภา าษ ษา า');
  });

  it('that are asked for have nothing in them that a pair says already, and come once', () => {
    assert.deepEqual(queryTerms('東京都 東京'), ['東京', '京都']);
    assert.deepEqual(queryTerms('京'), ['京']);
    assert.deepEqual(queryTerms('a A á b'), ['a', 'b']);
    assert.equal(queryTerms(Array.from({ length: 50 }, (_, at) => `w${at}`).join(' ')).length, 10);
    assert.deepEqual(queryTerms('"; DROP TABLE * -- <script>'), ['drop', 'table', 'script']);
  });

  it('are no longer than anybody types', () => {
    assert.deepEqual(termsIn('x'.repeat(5000)), ['x'.repeat(longestTerm)]);
    for (const term of termsIn('é'.repeat(5000))) assert.equal(term.length, longestTerm);
  });

  it('stand where they say, in order, with terms that nothing can be made of but letters and digits', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', 'B', ' ', 'é', '東', '京', '가', 'ا', '\u0301', '\ud800', '_', '<'),
        fc.string({ unit: 'binary' }),
      ),
    });
    fc.assert(
      fc.property(text, (any) => {
        let before = 0;
        for (const { term, from, to } of wordsIn(any)) {
          assert.ok(from >= before && to > from && to <= any.length, `${from} to ${to} after ${before}`);
          assert.doesNotMatch(term, /[_<\p{Surrogate}]/u);
          before = from;
        }
      }),
      { numRuns: 500 },
    );
  });
});
