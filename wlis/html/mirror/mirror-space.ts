import { namespaceLabel, type Namespace } from '../../namespace.js';

/**
 * Where a node shows browsers the namespaces that it holds, so that none of them shares a browser origin with another one
 * (protocol decision 6). `path`: `/mirror/<label>/<path inside the namespace>` under the authority of `node.url`, in a sandbox;
 * `name`: `<label>.<domain>/<path at the origin>`, an origin for each.
 */
export interface MirrorSpace {
  readonly kind: 'path' | 'name';
  /** Tells it from others. */
  readonly name: string;
  /** What stands for a namespace there, as a reference from any page there: `/mirror/<label>/`, `//<label>.m.example/manual/`. */
  placeOf(namespace: Namespace): string;
}

/** Below this are all namespaces under the authority of `node.url`. */
export const MIRROR = '/mirror/';

export const pathSpace: MirrorSpace = {
  kind: 'path',
  name: MIRROR,
  placeOf: (namespace) => mirrorPath(namespaceLabel(namespace), ''),
};

/** @param suffix of the authority behind the label: `.m.example:8080` */
export const nameSpace = (suffix: string): MirrorSpace => ({
  kind: 'name',
  name: suffix,
  placeOf: (namespace) =>
    `//${namespaceLabel(namespace)}${suffix}${namespace.slice(namespace.indexOf('/', namespace.indexOf('//') + 2))}`,
});

/** @param path of the document inside the namespace, canonical, with its query */
export const mirrorPath = (label: string, path: string): string => `${MIRROR}${label}/${path}`;

/** Where a node shows browsers a document. @param node `https://m1.example` */
export const mirrorUrl = (node: string, label: string, path: string): string => node + mirrorPath(label, path);

export interface MirrorTarget {
  readonly label: string;
  /** Inside the namespace, with its query, as received; null where not even the slash behind the label is there. */
  readonly path: string | null;
}

/** What is asked for below `/mirror/`; null if that is nothing with a label. @param path of a request, with its query */
export function parseMirrorPath(path: string): MirrorTarget | null {
  if (!path.startsWith(MIRROR)) return null;
  const end = MIRROR.length + labelLength;
  const label = path.slice(MIRROR.length, end);
  if (!isLabel(label)) return null;
  const next = path.charAt(end);
  if (next === '' || next === '?') return { label, path: null };
  return next === '/' ? { label, path: path.slice(end + 1) } : null;
}

/** Whether a text could be the label of a namespace. */
export const isLabel = (text: string): boolean => text.length === labelLength && /^[a-z2-7]+$/.test(text);

const labelLength = 26;
