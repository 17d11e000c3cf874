import { bytes, type Bytes } from '../../config/units.js';
import type { Json, JsonObject } from './canonical-json.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';

/** Which documents a replica holds the content of, by their paths in the namespace; it always holds the whole trie. */
export interface Subset {
  /** Patterns, one of which has to fit; if there is none, all paths do. */
  readonly include: readonly string[];
  /** Patterns, none of which may fit. */
  readonly exclude: readonly string[];
  /** No content longer than this; null for any. */
  readonly maxBytes: Bytes | null;
}

/** @throws NotBelieved malformed, too-large; `what` says whose it is */
export function parseSubset(value: Json, what: string): Subset {
  const members = new Members(value, `${what}: subset`);
  const patterns = (name: string): readonly string[] => members.list(name, mostPatterns).map(parsePattern);
  const subset: Subset = {
    include: members.optional('include', patterns) ?? [],
    exclude: members.optional('exclude', patterns) ?? [],
    maxBytes: members.optional('maxBytes', (name) => bytes(members.integer(name, 1))) ?? null,
  };
  const isSaid = (name: 'include' | 'exclude'): boolean => members.has(name) && subset[name].length === 0;
  members.end();
  if (isSaid('include') || isSaid('exclude')) throw wrong('an empty list of patterns');
  if (!members.has('include') && !members.has('exclude') && subset.maxBytes === null)
    throw wrong('it leaves out nothing');
  return subset;
}

export const subsetJson = ({ include, exclude, maxBytes }: Subset): JsonObject => ({
  include: include.length === 0 ? undefined : include,
  exclude: exclude.length === 0 ? undefined : exclude,
  maxBytes: maxBytes ?? undefined,
});

function parsePattern(value: Json): string {
  if (typeof value !== 'string') throw wrong('a pattern that is no string');
  if (value.length > longestPattern) {
    throw new NotBelieved('too-large', `subset: a pattern longer than ${longestPattern}`);
  }
  if (value === '' || value.startsWith('/') || value.split('/').some((part) => part === '.' || part === '..')) {
    throw wrong(`${quoted(value)} is no pattern for a path inside the namespace`);
  }
  // the time that matching takes grows with their number
  if ((value.match(/\*+/g)?.length ?? 0) > mostWildcards) throw wrong(`${quoted(value)} has too many wildcards`);
  return value;
}

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `subset: ${fault}`);

const mostPatterns = 64;
const longestPattern = 1024;
const mostWildcards = 8;
