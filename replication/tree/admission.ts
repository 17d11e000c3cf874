import { createHash, timingSafeEqual } from 'node:crypto';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';

/** Who may replicate a namespace, as the operator of its primary has said. */
export interface AdmissionRules {
  /** `listed`: only those below; `open`: anybody, for clients that verify. */
  readonly accept: 'listed' | 'open';
  readonly listed: ReadonlySet<KeyId>;
  /** Who has it is listed; null for none. */
  readonly token: string | null;
  /** Of those that are listed: what they may be used for besides (protocol decision 4). */
  readonly rights: (id: KeyId) => ReplicaRights;
  /** How many replicas that are not listed there may be. */
  readonly mostOpen: number;
}

export interface ReplicaRights {
  /** Clients that do not verify may be sent to it. */
  readonly browsers: boolean;
  /** It may stand behind the namespace's own host. */
  readonly delegate: boolean;
}

export interface Admission {
  readonly access: 'listed' | 'open';
  /** It is listed by its token, now or earlier. */
  readonly hadToken: boolean;
}

/**
 * As what a node is admitted.
 * @param hadToken whether it was admitted by a token before
 * @throws CallProblem 403 wrong-token, not-admitted
 */
export function admission(rules: AdmissionRules, id: KeyId, token: string | null, hadToken: boolean): Admission {
  if (rules.listed.has(id)) return { access: 'listed', hadToken };
  if (hadToken) return { access: 'listed', hadToken: true };
  if (token !== null && isToken(token, rules.token)) return { access: 'listed', hadToken: true };
  if (rules.accept === 'open' && token === null) return { access: 'open', hadToken: false };
  if (token !== null) throw new CallProblem(403, 'wrong-token', 'the token is not that of this namespace');
  throw new CallProblem(403, 'not-admitted', `the primary does not list the key ${id}, and no token was given`);
}

/** Whether a node that was admitted still is. */
export const isAdmitted = (rules: AdmissionRules, id: KeyId, hadToken: boolean): boolean =>
  rules.accept === 'open' || hadToken || rules.listed.has(id);

/** In a time that tells nothing of how much of it is right, nor how long it is. */
const isToken = (given: string, token: string | null): boolean =>
  token !== null && timingSafeEqual(digestOf(given), digestOf(token));

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
