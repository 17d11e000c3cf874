import { parseItem, type BareItem, type Item } from '../../proxy/http/structured-fields.js';
import { canonicalUri } from '../canonical-uri.js';
import { parseNamespace, type Namespace } from '../namespace.js';
import { NotCanonical } from '../not-canonical.js';
import { parseEpoch, type Version } from '../trust/epoch.js';
import { NotBelieved } from '../trust/not-believed.js';

/** An Item, if the value is one and is not longer than such fields are; everything else is passed over. */
export const shortItem = (value: string | undefined): Item | null =>
  value === undefined || value.length > longest ? null : parseItem(value);

/** What a field that speaks of a namespace begins with; null for what is none in its canonical spelling. */
export function toldNamespace(value: BareItem): Namespace | null {
  if (typeof value !== 'string') return null;
  try {
    return canonicalUri(value) === value ? parseNamespace(value) : null;
  } catch (error) {
    if (error instanceof NotCanonical) return null;
    throw error;
  }
}

/** A version of a namespace as parameters tell it: both of them are there, or neither. Undefined for anything else. */
export function toldVersion(params: ReadonlyMap<string, BareItem>): Version | null | undefined {
  const [epoch, seq] = [params.get('epoch'), params.get('seq')];
  if (epoch === undefined && seq === undefined) return null;
  if (typeof epoch !== 'string' || !isCount(seq)) return undefined;
  try {
    return { epoch: parseEpoch(epoch), seq };
  } catch (error) {
    if (error instanceof NotBelieved) return undefined;
    throw error;
  }
}

/** Whether it is a whole number from 0 on, and no larger than anything that is counted here. */
export const isCount = (value: BareItem | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** A namespace may have 16,384 characters, and whoever has such a one does without these fields. */
const longest = 4096;
