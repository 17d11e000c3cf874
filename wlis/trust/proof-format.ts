import { fromBase64url, toBase64url } from './base64url.js';
import { digestFrom, putDigest, type Digest } from './digest.js';
import { NotBelieved } from './not-believed.js';
import type { Proof } from './proof.js';
import { EMPTY } from './trie-hash.js';

/**
 * A proof as it is sent, in base 64 for URLs:
 *
 *   1   version: 1
 *   1   what stands at the end: 0 the document, 1 nothing, 2 another document
 *   2   n, the number of siblings, at most 256; the higher byte first
 *   ⌈n/8⌉   which of them are not nothing, one bit each, the first in the highest bit; bits to spare are 0
 *   64  if there is another document: its key and the digest of its record
 *   32  for each sibling that is not nothing, the root's child first
 *
 * About 700 bytes for one of a million documents.
 */
export function proofText({ siblings, end }: Proof): string {
  const other = typeof end === 'object' ? [end.key, end.record] : [];
  const digests = [...other, ...siblings.filter((sibling) => sibling !== EMPTY)];
  const mapped = Math.ceil(siblings.length / 8);
  const data = new Uint8Array(HEAD + mapped + 32 * digests.length);
  data.set([VERSION, typeof end === 'object' ? 2 : ends.indexOf(end), siblings.length >> 8, siblings.length & 255]);
  for (const [i, sibling] of siblings.entries()) {
    if (sibling !== EMPTY) data[HEAD + (i >> 3)] = (data[HEAD + (i >> 3)] as number) | (0x80 >> (i & 7));
  }
  for (const [i, digest] of digests.entries()) putDigest(digest, data, HEAD + mapped + 32 * i);
  return toBase64url(data);
}

/** @throws NotBelieved malformed, too-large for all that `proofText` does not make */
export function parseProof(text: string): Proof {
  if (text.length > longest) throw new NotBelieved('too-large', `proof: longer than ${longest} characters`);
  const data = fromBase64url(text);
  if (data === null || data.length < HEAD) throw wrong('no base64url of a proof');
  if (data[0] !== VERSION) throw wrong(`of version ${data[0] as number}`);
  const count = ((data[2] as number) << 8) | (data[3] as number);
  if (count > 256) throw wrong(`${count} siblings`);
  const mapped = Math.ceil(count / 8);
  const there = Array.from({ length: 8 * mapped }, (_, i) => ((data[HEAD + (i >> 3)] ?? 0) & (0x80 >> (i & 7))) !== 0);
  if (there.slice(count).includes(true)) throw wrong('bits to spare that are not 0');
  const hasOther = data[1] === 2;
  const end = ends[data[1] as number];
  if (end === undefined && !hasOther) throw wrong('an unknown kind of end');
  const digests = there.filter(Boolean).length + (hasOther ? 2 : 0);
  if (data.length !== HEAD + mapped + 32 * digests) throw wrong(`${data.length} bytes for ${digests} digests`);
  let at = HEAD + mapped;
  const next = (): Digest => digestFrom(data, (at += 32) - 32);
  const other = hasOther ? { key: next(), record: next() } : null;
  const siblings = there.slice(0, count).map((isThere) => (isThere ? next() : EMPTY));
  if (siblings.some((sibling, i) => sibling === EMPTY && there[i] === true)) throw wrong('nothing given as something');
  return { siblings, end: other ?? (end as 'document' | 'nothing') };
}

const VERSION = 1;
const HEAD = 4;
const ends = ['document', 'nothing'] as const;

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `proof: ${fault}`);

/** Of 256 siblings and another document: 8292 bytes. */
const longest = 11_056;
