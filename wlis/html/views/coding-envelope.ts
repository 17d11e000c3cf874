import { WillisError } from '../../../proxy/base/errors.js';
import type { Body } from '../../../proxy/http/body.js';
import { BegunBody } from './begun-body.js';

/**
 * What gzip (its first member) or deflate have around what is compressed (RFC 1951), taken off at the beginning; what comes behind
 * it stays, checksums and all. So browsers read both: they compare no checksums, and pass over further members.
 *
 * @throws WillisError `upstream-malformed` if it does not begin as that coding does
 */
export async function withoutEnvelope(content: Body, coding: 'gzip' | 'deflate'): Promise<Body> {
  const lengthOf = coding === 'gzip' ? gzipHeader : zlibHeader;
  let begun = Buffer.alloc(0);
  for (;;) {
    const chunk = await content.read();
    if (chunk !== null) begun = Buffer.concat([begun, chunk]);
    const length = lengthOf(begun);
    if (length === null)
      throw new WillisError('upstream-malformed', `its content coding is broken: no header of ${coding}`);
    if (length <= begun.length) return bodyOf(begun.subarray(length), content);
    // browsers show nothing of what ends there
    if (chunk === null) return bodyOf(Buffer.alloc(0), content);
    if (begun.length > longestHeader)
      throw new WillisError('upstream-malformed', 'its content coding has too long a header');
  }
}

/** RFC 1952 §2.3: its length, more than there is if its end is not there yet; null if it is none. */
function gzipHeader(begun: Buffer): number | null {
  if (!magic.subarray(0, begun.length).equals(begun.subarray(0, magic.length))) return null;
  const flags = begun[3] ?? 0;
  let at = 10;
  if ((flags & hasExtra) !== 0) at += 2 + (at + 2 <= begun.length ? begun.readUInt16LE(at) : 0);
  for (const flag of [hasName, hasComment]) {
    if ((flags & flag) === 0) continue;
    const end = begun.indexOf(0, at);
    if (end < 0) return begun.length + 1;
    at = end + 1;
  }
  return (flags & hasChecksum) === 0 ? at : at + 2;
}

/** Many send what they call `deflate` without the envelope of RFC 1950 (RFC 9110 §8.4.1.2). */
function zlibHeader(begun: Buffer): number {
  const [cmf, flags] = begun;
  if (cmf === undefined || flags === undefined) return 2;
  return (cmf & 0x0f) === 8 && (cmf * 256 + flags) % 31 === 0 ? 2 : 0;
}

const magic = Buffer.from([0x1f, 0x8b, 8]);
const [hasChecksum, hasExtra, hasName, hasComment] = [2, 4, 8, 16];
const longestHeader = 128 * 1024;

const bodyOf = (begun: Buffer, rest: Body): Body => new BegunBody(begun.length === 0 ? [] : [begun], rest, null);
