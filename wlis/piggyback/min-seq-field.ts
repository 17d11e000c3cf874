import type { Namespace } from '../namespace.js';
import type { Version } from '../trust/epoch.js';
import { shortItem, toldNamespace, toldVersion } from './told-namespace.js';

/** The request field by which a client asks for no copy older than one that it has or had (protocol decision 12). */
export const MIN_SEQ_FIELD = 'WLIS-Min-Seq';

export interface ToldFloor {
  readonly namespace: Namespace;
  /** Of the record that was verified for the document that is asked for. */
  readonly version: Version;
}

/** `"http://docs.example.org/";epoch="…";seq=812` */
export const minSeqField = ({ namespace, version: { epoch, seq } }: ToldFloor): string =>
  `"${namespace}";epoch="${epoch}";seq=${seq}`;

/** Null for all that `minSeqField` does not make; parameters that are not known are passed over. */
export function parseMinSeqField(value: string | undefined): ToldFloor | null {
  const item = shortItem(value);
  if (item === null) return null;
  const namespace = toldNamespace(item.value);
  const version = toldVersion(item.params);
  return namespace === null || version == null ? null : { namespace, version };
}
