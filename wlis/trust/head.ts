import { epochMs, type EpochMs } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import { canonicalJson, parseCanonicalJson } from './canonical-json.js';
import type { Digest } from './digest.js';
import { compareEpochs, compareVersions, epochBegin, parseEpoch, type Version } from './epoch.js';
import { openJws, type SigningKey } from './jws.js';
import { Members } from './members.js';
import { NotBelieved } from './not-believed.js';
import type { KeyId, PublicKey } from './public-key.js';

/** What a primary states of its namespace at some moment. */
export interface Head extends Version {
  readonly namespace: Namespace;
  /** Of the trie with all changes up to `seq`. */
  readonly root: Digest;
  readonly issued: EpochMs;
  /** From when on a newer one should be asked for. */
  readonly refreshAfter: EpochMs;
  /** From when on it proves what was, no longer what is. */
  readonly expires: EpochMs;
  /** Whether what changed with it is to become visible all at once. */
  readonly atomic: boolean;
}

/** A head and the statement that says it. */
export interface SignedHead {
  readonly head: Head;
  readonly jws: string;
}

export async function signHead(head: Head, key: SigningKey): Promise<SignedHead> {
  const { namespace, epoch, seq, root, issued, refreshAfter, expires } = head;
  const atomic = head.atomic ? true : undefined;
  const payload = canonicalJson({ namespace, epoch, seq, root, issued, refreshAfter, expires, atomic });
  parseHead(payload, namespace);
  return { head, jws: await key.sign('wlis-head', payload) };
}

/**
 * @param namespace of which the head has to be
 * @param keyFor the key of that name if it signs for the namespace
 * @throws NotBelieved malformed, too-large, wrong-subject, wrong-signature
 */
export async function openHead(
  jws: string,
  namespace: Namespace,
  keyFor: (id: KeyId) => PublicKey | null,
): Promise<SignedHead> {
  if (jws.length > longest) throw new NotBelieved('too-large', `head: longer than ${longest} characters`);
  return { head: parseHead(await openJws('wlis-head', jws, keyFor), namespace), jws };
}

function parseHead(payload: string, namespace: Namespace): Head {
  const members = new Members(parseCanonicalJson(payload, 'head', longest), 'head');
  if (members.text('namespace', longest) !== namespace) {
    throw new NotBelieved('wrong-subject', 'head: of another namespace');
  }
  const time = (name: string): EpochMs => epochMs(members.integer(name, 0));
  const head: Head = {
    namespace,
    epoch: parseEpoch(members.text('epoch', 64), 'head'),
    seq: members.integer('seq', 0),
    root: members.digest('root'),
    issued: time('issued'),
    refreshAfter: time('refreshAfter'),
    expires: time('expires'),
    atomic: members.optional('atomic', (name) => members.flag(name)) ?? false,
  };
  members.end();
  if (head.issued > head.refreshAfter || head.refreshAfter > head.expires) {
    throw new NotBelieved('malformed', 'head: issued, refreshAfter and expires are out of order');
  }
  return head;
}

/** What a verified head is beside the newest one that is known. */
export type HeadJudgement =
  /** of a later change, a later epoch, or the same one stated anew: take it */
  | 'newer'
  | 'same'
  /** true, but no news; it still proves what it proves */
  | 'older'
  /** of an epoch that has ended: it proves nothing that is to be believed today */
  | 'ended-epoch'
  /** its signer stated another root for the same change */
  | 'equivocation'
  /** more than a day ahead of the clock: taken, nothing true could follow it */
  | 'ahead';

/** @param now by the own clock, corrected by what others say of the time */
export function judgeHead(known: Head | null, offered: Head, now: EpochMs): HeadJudgement {
  if (Math.max(offered.issued, epochBegin(offered.epoch)) - now > aDay) return 'ahead';
  if (known === null) return 'newer';
  if (compareEpochs(offered.epoch, known.epoch) < 0) return 'ended-epoch';
  const order = compareVersions(offered, known);
  if (order === 0 && offered.root !== known.root) return 'equivocation';
  const newer = order || offered.issued - known.issued;
  if (newer === 0) return 'same';
  return newer > 0 ? 'newer' : 'older';
}

/** Whether what a head proves is so now (`current`), or was so and may be served while nothing newer is to be had. */
export const isCurrent = (head: Head, now: EpochMs): boolean => now < head.expires;

const aDay = 86_400_000;

const longest = 32_768;
