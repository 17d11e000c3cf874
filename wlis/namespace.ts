import { canonicalUri, type CanonicalUri } from './canonical-uri.js';
import { NotCanonical } from './not-canonical.js';
import { sha256 } from './trust/sha256.js';

declare const namespace: unique symbol;

/** A canonical URI that ends in `/` and has no query: the prefix of all documents of one primary. */
export type Namespace = CanonicalUri & { readonly [namespace]: true };

/**
 * The namespace that a text names, in whatever spelling.
 * @throws NotCanonical for what cannot be one; below `/.well-known/` there is none
 */
export function parseNamespace(text: string): Namespace {
  const uri = canonicalUri(text);
  if (text.includes('#')) throw new NotCanonical('a namespace has no fragment');
  if (uri.includes('?')) throw new NotCanonical('a namespace has no query');
  if (!uri.endsWith('/')) throw new NotCanonical("a namespace ends in '/'");
  if (isWellKnown(uri)) throw new NotCanonical('nothing below /.well-known/ is replicated');
  return uri as Namespace;
}

/** Whether a document of that URI may belong to the namespace; longer namespaces may take it away. */
export const isInside = (space: Namespace, uri: CanonicalUri): boolean => uri.startsWith(space) && !isWellKnown(uri);

/** The URI without the namespace, as records have it; null if it is not inside. */
export const pathInside = (space: Namespace, uri: CanonicalUri): string | null =>
  isInside(space, uri) ? uri.slice(space.length) : null;

/**
 * What a path may mean where queries are ignored: it without its query, and with `!$&'()*+,;=:@` as they are, which is how
 * directories are published, and which file servers take for the same however they are written (apt asks for `%2B`). Null if
 * that is the path itself.
 */
export function plainPath(path: string): string | null {
  const query = path.indexOf('?');
  const bare = query < 0 ? path : path.slice(0, query);
  const plain = bare.replace(encodedDelimiter, decodeURIComponent);
  return plain === path ? null : plain;
}

const encodedDelimiter = /%(?:2[146789ABC]|3[ABD]|40)/g;

/**
 * The URI of a document by its path in a record.
 * @throws NotCanonical if the path is not as `pathInside` gives it, be it that it leads out of the namespace
 */
export function uriInside(space: Namespace, path: string): CanonicalUri {
  const uri = space + path;
  if (canonicalUri(uri) !== uri || isWellKnown(uri)) throw new NotCanonical('no canonical path inside the namespace');
  return uri as CanonicalUri;
}

/** `http://host:port` of a URI: the authority that says which namespaces there are. */
export const originOf = (uri: CanonicalUri): string => uri.slice(0, uri.indexOf('/', uri.indexOf('//') + 2));

/**
 * 26 letters and digits that stand for a namespace where a URI cannot, in host names above all: the first 130 bits of its
 * SHA-256, in base 32 (RFC 4648 §6) and lower case.
 */
export function namespaceLabel(space: Namespace): string {
  const digest = sha256(new TextEncoder().encode(space));
  let label = '';
  for (let at = 0; at < 130; at += 5) {
    const two = ((digest[at >> 3] as number) << 8) | (digest[(at >> 3) + 1] as number);
    label += alphabet.charAt((two >> (11 - (at & 7))) & 31);
  }
  return label;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

const isWellKnown = (uri: string): boolean => uri.startsWith('/.well-known/', uri.indexOf('/', uri.indexOf('//') + 2));
