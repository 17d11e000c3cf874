import type { EpochMs } from '../../config/units.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';

/** How the membership of a replica stands. */
export interface MembershipStanding {
  /**
   * `new`: not asked yet; `joined`: the primary has taken the last renewal; `not-admitted`: it does not list this node;
   * `untrusted`: what is said to be the primary cannot prove it; `unreachable`; `refused`: for another reason.
   */
  readonly state: 'new' | 'joined' | 'not-admitted' | 'untrusted' | 'unreachable' | 'refused';
  /** One sentence; null while all is well. */
  readonly reason: string | null;
  /** By the clock of the primary; null before the first joining. */
  readonly activeUntil: EpochMs | null;
}

/** What a failure to join or renew comes to. */
export function standingAfter(error: Error, { activeUntil }: MembershipStanding): MembershipStanding {
  return { state: stateAfter(error), reason: error.message, activeUntil };
}

function stateAfter(error: Error): MembershipStanding['state'] {
  if (error instanceof NotBelieved) return 'untrusted';
  if (!(error instanceof CallFailed)) return 'refused';
  if (error.fault === 'not-believed') return 'untrusted';
  if (error.reason === 'not-admitted' || error.reason === 'wrong-token') return 'not-admitted';
  return error.fault === 'unreachable' ? 'unreachable' : 'refused';
}
