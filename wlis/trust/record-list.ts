import { canonicalJson, parseCanonicalJson, type Json } from './canonical-json.js';
import type { Digest } from './digest.js';
import { Members } from './members.js';
import { NotBelieved } from './not-believed.js';

/** The last line of a list: without it the list was cut short, and nothing of it is applied. */
export interface ListTail {
  /** How many lines stand before it. */
  readonly count: number;
  /** The number of the last change that the list brings its reader to, and the root of the trie then. */
  readonly seq: number;
  readonly root: Digest;
  /** In a list of changes, if there are any: those with numbers in one of these become visible in the same moment. */
  readonly sets?: readonly ListSet[];
}

/** Numbers from the first to the second, which is the greater one. Sets ascend and have no number in common. */
export type ListSet = readonly [from: number, to: number];

/** The most sets in a list: where there were more, neighbours are joined. */
export const MOST_SETS = 1024;

export const tailText = ({ count, seq, root, sets }: ListTail): string =>
  canonicalJson({ kind: TAIL, count, seq, root, sets });

/**
 * Takes the lines of a list (NDJSON: a text and a line feed each) as they come, in pieces that begin and end anywhere.
 * Holds at most one line.
 */
export class ListReader {
  readonly #longestLine: number;
  #begun = '';
  #count = 0;
  #tail: ListTail | null = null;

  /** @param longestLine in characters */
  constructor(longestLine: number) {
    this.#longestLine = longestLine;
  }

  /**
   * The lines that a piece completes, the tail not among them.
   * @throws NotBelieved malformed, too-large
   */
  take(piece: string): string[] {
    const lines = (this.#begun + piece).split('\n');
    this.#begun = lines.pop() ?? '';
    for (const line of [...lines, this.#begun]) {
      if (line.length > this.#longestLine) {
        throw new NotBelieved('too-large', `list: line ${this.#count + 1} is longer than ${this.#longestLine}`);
      }
    }
    return lines.filter((line) => {
      if (this.#tail !== null) throw wrong('a line behind the tail');
      if (line === '') throw wrong(`line ${this.#count + 1} is empty`);
      if (line.includes(TAIL_MARK)) this.#tail = parseTail(line, this.#count);
      else this.#count++;
      return this.#tail === null;
    });
  }

  /** @throws NotBelieved malformed if the list was cut short */
  end(): ListTail {
    if (this.#tail === null || this.#begun !== '') throw wrong(`cut short behind line ${this.#count}`);
    return this.#tail;
  }
}

function parseTail(line: string, lines: number): ListTail {
  const members = new Members(parseCanonicalJson(line, 'list: tail', longestTail), 'list: tail');
  members.word('kind', TAIL);
  const count = members.integer('count', 0);
  const tail = { count, seq: members.integer('seq', 0), root: members.digest('root') };
  const sets = members.optional('sets', (name) => parseSets(members.list(name, MOST_SETS), tail.seq));
  members.end();
  if (count !== lines) throw wrong(`${lines} lines where the tail says ${count}`);
  return sets === undefined ? tail : { ...tail, sets };
}

function parseSets(values: readonly Json[], last: number): readonly ListSet[] {
  if (values.length === 0) throw wrong("'sets' of the tail is empty");
  let before = 0;
  return values.map((value) => {
    const [from, to, ...more] = Array.isArray(value) ? (value as readonly Json[]) : [];
    if (typeof from !== 'number' || typeof to !== 'number' || more.length > 0) throw wrong('a set that is no pair');
    if (!(before < from && from < to && to <= last)) throw wrong(`the set from ${from} to ${to} is out of order`);
    before = to;
    return [from, to];
  });
}

const TAIL = 'tail/1';

/** In characters: 1024 sets of numbers of 16 digits fit in. */
const longestTail = 40_960;

/** In a string the quotes would be escaped, so that no other line has this in it but as a member of its own. */
const TAIL_MARK = `"kind":"${TAIL}"`;

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `list: ${fault}`);
