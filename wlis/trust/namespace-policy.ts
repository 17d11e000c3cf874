import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Json, JsonObject } from './canonical-json.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';

/** What the primary of a namespace has decided for all who hold or ask for its documents. */
export interface NamespacePolicy {
  readonly consistency: Consistency;
  /** How long documents may be served that are proven by nothing better than an expired head. */
  readonly grace: Milliseconds;
  /** Whether what is not in the trie does not exist; otherwise only the primary knows. */
  readonly complete: boolean;
  /** What becomes of a request with credentials: they are dropped, or the primary answers it. */
  readonly credentials: 'ignore' | 'primary';
  /** A query that no document has: dropped; part of the URI, so that there is no such document; for the primary. */
  readonly query: 'ignore' | 'exact' | 'forward';
  /** Whether those who hold it may let others search the texts of its pages. */
  readonly search: boolean;
}

export type Consistency =
  { readonly mode: 'eventual' | 'strict' } | { readonly mode: 'bounded'; readonly bound: Milliseconds };

/** Seven days. */
export const defaultGrace: Milliseconds = milliseconds(7 * 86_400_000);

/** @throws NotBelieved malformed */
export function parsePolicy(value: Json): NamespacePolicy {
  const members = new Members(value, 'group: policy');
  const policy: NamespacePolicy = {
    consistency: parseConsistency(members),
    grace: milliseconds(members.integer('grace', 0, longestGrace)),
    complete: members.optional('complete', (name) => members.flag(name)) ?? false,
    credentials: oneOf(members, 'credentials', ['ignore', 'primary']),
    query: oneOf(members, 'query', ['ignore', 'exact', 'forward']),
    search: members.optional('search', (name) => members.flag(name)) ?? false,
  };
  members.end();
  return policy;
}

export const policyJson = ({
  consistency,
  grace,
  complete,
  credentials,
  query,
  search,
}: NamespacePolicy): JsonObject => ({
  consistency: consistency.mode,
  bound: consistency.mode === 'bounded' ? consistency.bound : undefined,
  grace,
  complete: complete ? true : undefined,
  credentials,
  query,
  search: search ? true : undefined,
});

function parseConsistency(members: Members): Consistency {
  const mode = oneOf(members, 'consistency', ['eventual', 'bounded', 'strict']);
  return mode === 'bounded' ? { mode, bound: milliseconds(members.integer('bound', 1)) } : { mode };
}

function oneOf<Word extends string>(members: Members, name: string, words: readonly Word[]): Word {
  const text = members.text(name, 16);
  const word = words.find((one) => one === text);
  if (word === undefined) throw new NotBelieved('malformed', `group: policy: '${name}' is ${quoted(text)}`);
  return word;
}

/** Ten years. */
const longestGrace = 3_653 * 86_400_000;
