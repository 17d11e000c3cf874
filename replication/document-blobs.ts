import { bytes, type Bytes } from '../config/units.js';
import type { Digest } from '../wlis/trust/digest.js';

/*
 * What the text of a document (`documentText`) says of its contents, without reading all of it. Quotes within strings are
 * escaped, and there are no members of these names but those of variants, so that nothing else can look like them.
 */

/** Digests of contents and block lists. An empty content needs no bytes, but is a blob all the same. */
export const digestsIn = (document: string): Digest[] =>
  [...document.matchAll(/"(?:digest|blocks)":"([0-9a-f]{64})"/g)].map(([, digest]) => digest as Digest);

/** Length of all its contents together. */
export function lengthIn(document: string | null): Bytes {
  let sum = 0;
  if (document !== null) for (const [, length] of document.matchAll(/"length":(\d+)/g)) sum += Number(length);
  return bytes(sum);
}
