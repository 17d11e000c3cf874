import type { Namespace } from '../namespace.js';
import { isCount, shortItem, toldNamespace } from './told-namespace.js';

/** The field that says which statement of its group a holder of a namespace knows. */
export const GROUP_FIELD = 'WLIS-Group';

export interface ToldGroup {
  readonly namespace: Namespace;
  readonly version: number;
}

/** `"http://docs.example.org/";version=17` */
export const groupField = ({ namespace, version }: ToldGroup): string =>
  // a canonical URI has nothing in it that a string would have to escape (RFC 9651 §3.3.3)
  `"${namespace}";version=${version}`;

/** Null for all that `groupField` does not make; parameters that are not known are passed over. */
export function parseGroupField(value: string | undefined): ToldGroup | null {
  const item = shortItem(value);
  const namespace = item && toldNamespace(item.value);
  const version = item?.params.get('version');
  return namespace !== null && isCount(version) && version > 0 ? { namespace, version } : null;
}
