import { elapsed, type EpochMs } from '../../config/units.js';
import type { HeldNamespace } from '../held-namespace.js';

/**
 * How well what a node holds is confirmed (protocol decisions 1, 7 and 14). `authoritative`: it answers as the origin server
 * would; `unconfirmed`: by a head that has expired, for nobody has a newer one; `refused`: the namespace does not allow that
 * it answers, for the reason given.
 */
export type Standing =
  { readonly kind: 'authoritative' | 'unconfirmed' } | { readonly kind: 'refused'; readonly reason: string };

/** What is judged of a namespace. */
export type Judged = Pick<HeldNamespace, 'role' | 'policy' | 'edition' | 'confirmedAge'>;

/** @param now by a clock that may be wrong: an expired head is marked, and refused only after the grace of its namespace */
export function standingOf({ role, policy, edition, confirmedAge }: Judged, now: EpochMs): Standing {
  if (role === 'primary') return authoritative;
  if (edition === null) return refused('this replica holds nothing of the namespace yet');
  const { consistency, grace } = policy;
  switch (consistency.mode) {
    case 'strict':
      return refused('the namespace is strict, and this replica has no lease');
    case 'bounded':
      if (confirmedAge < consistency.bound) return authoritative;
      return refused(`confirmed ${confirmedAge} ms ago, which may be less than ${consistency.bound} ms`);
    case 'eventual': {
      const expired = elapsed(edition.head.head.expires, now);
      if (expired < 0) return authoritative;
      if (expired < grace) return unconfirmed;
      return refused(`its head expired ${expired} ms ago, the grace is ${grace} ms`);
    }
  }
}

const authoritative: Standing = { kind: 'authoritative' };
const unconfirmed: Standing = { kind: 'unconfirmed' };
const refused = (reason: string): Standing => ({ kind: 'refused', reason });
