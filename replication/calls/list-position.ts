import { parseEpoch, type Version } from '../../wlis/trust/epoch.js';
import { NotBelieved, quoted } from '../../wlis/trust/not-believed.js';
import type { ListPosition } from '../remote-holder.js';

/** How far a caller is, as calls say it: `<epoch>.<seq>`, and behind another dot the first 16 digits of its root if it has one. */
export interface StatedPosition extends Version {
  /** Null where there is nothing to compare. */
  readonly rootBegin: string | null;
}

export const positionText = ({ epoch, seq, root }: ListPosition): string =>
  root === null ? `${epoch}.${seq}` : `${epoch}.${seq}.${root.slice(0, 16)}`;

/** @throws NotBelieved malformed; `what` names it */
export function parsePosition(text: string, what: string): StatedPosition {
  const match = /^([0-9a-f-]{1,40})\.(0|[1-9]\d{0,15})(?:\.([0-9a-f]{16}))?$/.exec(text);
  const seq = Number(match?.[2]);
  if (match === null || !Number.isSafeInteger(seq)) {
    throw new NotBelieved('malformed', `${what}: ${quoted(text)} is no place in a list of changes`);
  }
  return { epoch: parseEpoch(match[1] as string, what), seq, rootBegin: match[3] ?? null };
}
