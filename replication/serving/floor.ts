import type { Request } from '../../proxy/http/message.js';
import { WillisError } from '../../proxy/base/errors.js';
import { MIN_SEQ_FIELD, parseMinSeqField } from '../../wlis/piggyback/min-seq-field.js';
import { compareVersions, type Version } from '../../wlis/trust/epoch.js';
import type { HeldNamespace } from '../held-namespace.js';
import type { Hints } from '../tree/hints.js';
import { untilSo } from '../tree/until-so.js';
import { documentPath } from './document-lookup.js';

/**
 * Waits until this replica can answer a request that asks for no copy older than a certain one (`WLIS-Min-Seq`, protocol decision
 * 12): nodes above are asked for news, all such requests together at most once a second. Null where there is nothing to wait for:
 * the number is below that of the head that is held, or the document has changed since.
 * @throws (rejects with) WillisError behind, if the news do not come at once; nothing of the sort can be forged into an outage,
 *   since the client has named the number itself and goes elsewhere
 */
export function reachedFloor(
  { fields, target }: Pick<Request, 'fields' | 'target'>,
  held: HeldNamespace,
  hints: Pick<Hints, 'seek'> | null,
): Promise<void> | null {
  if (hints === null) return null;
  const floor = parseMinSeqField(fields.first(floorName));
  if (floor?.namespace !== held.namespace) return null;
  const path = documentPath(target, held);
  const { version } = floor;
  if (hasReached(held, path, version)) return null;
  hints.seek(version);
  const listen = (onChange: () => void): (() => void) => held.onEdition(onChange);
  return untilSo(() => hasReached(held, path, version), listen, AbortSignal.timeout(patience)).catch(() => {
    const why = `${held.namespace}: this replica has nothing as new as ${version.epoch}.${version.seq}`;
    throw new WillisError('behind', why, { answerFields: ['Retry-After', '1'] });
  });
}

/** What is visible is never behind the edition, but may be ahead of it. */
function hasReached(held: HeldNamespace, path: string, floor: Version): boolean {
  const head = held.edition?.head.head;
  if (head === undefined) return false;
  if (compareVersions(head, floor) >= 0) return true;
  const seq = held.visible(path)?.seq;
  return seq !== undefined && head.epoch === floor.epoch && seq >= floor.seq;
}

const floorName = MIN_SEQ_FIELD.toLowerCase();

/** In milliseconds. Whoever asks knows others. */
const patience = 1000;
