import type { Digest } from './digest.js';
import { keyIdOf, type KeyId } from './public-key.js';
import type { RootChain, SignedRoot } from './root-chain.js';

/**
 * How a root came to be known: said by the operator; fetched from the authority itself over TLS; or over plain HTTP, where
 * anybody on the way may have been the one who answered.
 */
export type LearnedBy = 'configured' | 'tls' | 'first-use';

/** What is remembered of the root of an authority. */
export interface RootPin {
  readonly origin: string;
  readonly learnedBy: LearnedBy;
  readonly rootKey: KeyId;
  /** Of the newest statement that was taken; 0 and null if the operator named the key and none was seen yet. */
  readonly serial: number;
  readonly digest: Digest | null;
}

export type PinJudgement =
  /** take it, and remember this of it */
  | { readonly take: true; readonly reason: 'first' | 'same' | 'newer' | 'yields'; readonly pin: RootPin }
  | {
      readonly take: false;
      readonly reason:
        /** the newest statement that is known is not in it, but would be its next one: the chain is an old one */
        | 'older'
        /** it does not follow from what is known */
        | 'conflict'
        /** nothing is known, and nobody said that the first answer is to be believed */
        | 'first-use-off';
    };

/**
 * Whether a chain that is true in itself is to be believed. What the operator said counts most; a root of a first use
 * yields to one learned by TLS or from the operator; no root yields to one of a first use, and serials never go back.
 * @param by how the chain was got, `configured` if the operator gave it
 * @param firstUse whether an unknown root may be believed that came over plain HTTP
 */
export function judgeRoot(known: RootPin | null, chain: RootChain, by: LearnedBy, firstUse: boolean): PinJudgement {
  const newest = chain.at(-1);
  if (newest === undefined) return { take: false, reason: 'conflict' };
  if (known === null) {
    if (by === 'first-use' && !firstUse) return { take: false, reason: 'first-use-off' };
    return { take: true, reason: 'first', pin: pinOf(newest, by) };
  }
  if (follows(known, chain)) {
    const reason = newest.statement.serial === known.serial ? 'same' : 'newer';
    return { take: true, reason, pin: pinOf(newest, stronger(known.learnedBy, by)) };
  }
  if (known.learnedBy === 'first-use' && by !== 'first-use') {
    return { take: true, reason: 'yields', pin: pinOf(newest, by) };
  }
  const isOlder = newest.statement.serial < known.serial && leadsTo(newest, known);
  return { take: false, reason: isOlder ? 'older' : 'conflict' };
}

function follows({ serial, digest, rootKey }: RootPin, chain: RootChain): boolean {
  if (digest === null) return chain.some(({ statement }) => keyIdOf(statement.rootKey) === rootKey);
  return chain[serial - 1]?.digest === digest;
}

/** As far as can be told without the statements between. */
const leadsTo = ({ statement }: SignedRoot, { rootKey }: RootPin): boolean =>
  keyIdOf(statement.rootKey) === rootKey || statement.nextRootKey === rootKey;

const pinOf = ({ statement, digest }: SignedRoot, learnedBy: LearnedBy): RootPin => ({
  origin: statement.origin,
  learnedBy,
  rootKey: keyIdOf(statement.rootKey),
  serial: statement.serial,
  digest,
});

const strength: readonly LearnedBy[] = ['first-use', 'tls', 'configured'];

const stronger = (a: LearnedBy, b: LearnedBy): LearnedBy => (strength.indexOf(a) > strength.indexOf(b) ? a : b);
