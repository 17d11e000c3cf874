/** A word of a text, by which it can be found. */
export interface Word {
  /** As the index has it: lower case, without accents, and no longer than can be asked for. */
  readonly term: string;
  /** Where it stands: from ≤ position < to, in the text as it is. */
  readonly from: number;
  readonly to: number;
}

/** Longer words, which nobody types, are known by their beginnings. */
export const longestTerm = 40;

/**
 * The words of a text: runs of letters and digits of any script. Scripts that have no spaces between words (Chinese, Japanese,
 * Thai and such) are taken by pairs of characters, and the last character of a run also by itself, so that what begins with a
 * character is found by that.
 */
export function* wordsIn(text: string): Generator<Word> {
  for (const { 0: word, index: from } of text.matchAll(wholeWord)) {
    if (isPlain(word)) yield { term: word.slice(0, longestTerm).toLowerCase(), from, to: from + word.length };
    else yield* unspaced(word, from);
  }
}

/** Their terms alone. */
export function termsIn(text: string): string[] {
  const terms: string[] = [];
  for (const { term } of wordsIn(text)) terms.push(term);
  return terms;
}

/** Without what only says how a text is set: soft hyphens, directions, joiners. It would part words. */
export const withoutSigns = (text: string): string => text.replace(/\p{Cf}/gu, '');

/** Whether what somebody types begins a word already with so few characters: those of a script without spaces. */
export const isWholeSoon = (term: string): boolean => unspacedCharacter.test(term);

/** Letters, digits, and what is written above, below or around them. */
const wholeWord = /[\p{L}\p{N}\p{M}]+/gu;
const isPlain = (word: string): boolean => /^[0-9A-Za-z]*$/.test(word);

const unspacedCharacter =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\u30fc]/u;

/** Runs of characters of such scripts, and what is between them. */
const runs = new RegExp(`(?:${unspacedCharacter.source}\\p{M}*)+|(?:(?!${unspacedCharacter.source}).)+`, 'gsu');

function* unspaced(word: string, at: number): Generator<Word> {
  for (const { 0: run, index } of word.matchAll(runs)) {
    const from = at + index;
    if (!unspacedCharacter.test(run)) {
      const term = folded(run);
      if (term !== '') yield { term: cut(term), from, to: from + run.length };
      continue;
    }
    yield* pairs(run, from);
  }
}

function* pairs(run: string, from: number): Generator<Word> {
  const characters = [...run.matchAll(/.\p{M}*/gsu)];
  for (const [number, { 0: character, index }] of characters.entries()) {
    const next = characters[number + 1];
    const pair = character + (next?.[0] ?? '');
    yield { term: cut(folded(pair)), from: from + index, to: from + index + pair.length };
  }
}

/** Half of a character is none. */
const cut = (term: string): string => term.slice(0, longestTerm).replace(/[\ud800-\udbff]$/, '');

/** The same for whatever differs only in case, in accents, or in how wide it is written. */
function folded(word: string): string {
  const bare = word.toLowerCase().normalize('NFKD').replace(accents, '').normalize('NFC');
  return bare.replace(letters, (letter) => plainLetters[letter] ?? letter);
}

/** Of Latin, Greek and Cyrillic; the points of Hebrew; the vowel signs of Arabic, and its lengthening. */
const accents =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670]|\u0640/g;

const plainLetters: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', þ: 'th', ł: 'l', ħ: 'h', ı: 'i', ŋ: 'n', ς: 'σ' },
};
const letters = new RegExp(`[${Object.keys(plainLetters).join('')}]`, 'g');
