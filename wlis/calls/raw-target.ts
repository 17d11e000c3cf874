import { CALLS } from './call-target.js';

/** Below this are the documents of namespaces, as their records have them: `/.well-known/wlis/raw/<label>/<path>`. */
export const RAW = `${CALLS}raw/`;

/**
 * Where a node has a document raw.
 * @param node `https://m1.example`
 * @param label of the namespace (`namespaceLabel`)
 * @param path of the document inside the namespace, canonical, with its query
 */
export const rawUrl = (node: string, label: string, path: string): string => node + rawPath(label, path);

/** The same without the node. */
export const rawPath = (label: string, path: string): string => `${RAW}${label}/${path}`;

export interface RawTarget {
  readonly label: string;
  /** With its query, as received. */
  readonly path: string;
}

/** What is asked for; null if it is nothing raw. @param path of the request with the query, as received */
export function parseRawTarget(path: string): RawTarget | null {
  if (!path.startsWith(RAW) || path.charAt(RAW.length + labelLength) !== '/') return null;
  const label = path.slice(RAW.length, RAW.length + labelLength);
  return /^[a-z2-7]+$/.test(label) ? { label, path: path.slice(RAW.length + labelLength + 1) } : null;
}

const labelLength = 26;
