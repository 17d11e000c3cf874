import { compareVersions, parseEpoch, type Version } from '../../wlis/trust/epoch.js';
import { fromBase64url } from '../../wlis/trust/base64url.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';

/** What a head says of itself, or who speaks of one, without any proof: good for seeing that it is no news. */
export interface HeadClaim extends Version {
  /** Null where it is not said. */
  readonly issued: number | null;
}

/** Null for what is no head. */
export function claimedHead(jws: string): HeadClaim | null {
  const payload = jws.length > longest ? null : fromBase64url(jws.split('.')[1] ?? '');
  if (payload === null) return null;
  try {
    const { epoch, seq, issued } = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
    if (typeof epoch !== 'string' || !isCount(seq) || !isCount(issued)) return null;
    return { epoch: parseEpoch(epoch), seq, issued };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof NotBelieved) return null;
    throw error;
  }
}

/** Whether it would be news, if it were true. */
export function wouldBeNews(claim: HeadClaim, known: HeadClaim | null): boolean {
  if (known === null) return true;
  const order = compareVersions(claim, known);
  if (order !== 0) return order > 0;
  return claim.issued !== null && known.issued !== null && claim.issued > known.issued;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const longest = 32_768;
