import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import type { IncomingResponse } from '../../proxy/forward/upstream.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';
import { ifRangeHolds, isNotModified } from '../../proxy/http/preconditions.js';
import { formatContentRange, parseRange, resolveRanges, type ByteRange } from '../../proxy/http/range.js';
import { digestBytes, type Digest } from '../trust/digest.js';
import { ageOf, type LearnedOriginal } from './learned-original.js';
import { isWhole, type WantedBytes } from './mirrored-content.js';

/** The bytes of a document of that length that a request is for; null for a range that it does not have. */
export function wantedRange(
  {
    fields,
    learned,
    now,
  }: { readonly fields: Fields; readonly learned: LearnedOriginal | null; readonly now: EpochMs },
  length: Bytes,
): ByteRange | null {
  const whole: ByteRange = { from: bytes(0), to: length };
  const specs = parseRange(fields.get('range') ?? '');
  if (specs === null || (fields.has('if-range') && !holds(fields, learned, now))) return whole;
  const resolved = resolveRanges(specs, length);
  if (resolved.kind === 'unsatisfiable') return null;
  return (resolved.kind === 'satisfiable' ? resolved.ranges[0] : undefined) ?? whole;
}

/** The answer with bytes of a mirror, as the original would give it, as far as it has said. */
export function rebuiltAnswer(
  learned: LearnedOriginal,
  wanted: WantedBytes,
  body: Body,
  now: EpochMs,
): IncomingResponse {
  return framed(asRemembered(learned, now), wanted, body);
}

/**
 * The answer with bytes of which only a list of mirrors tells: with what the mirror says of the kind of content, and the
 * digest. Nothing that would name a version to the original.
 */
export function listedAnswer(mirrored: Fields, digest: Digest, wanted: WantedBytes, body: Body): IncomingResponse {
  const said = `sha-256=:${Buffer.from(digestBytes(digest)).toString('base64')}:`;
  return framed(mirrored.filter((name) => ofContent.has(name)).plus('Repr-Digest', said), wanted, body);
}

/** What the original has said, without any content: for HEAD, a condition that is met, and what is not there. */
export function withoutContent(
  learned: LearnedOriginal,
  request: { readonly method: string; readonly fields: Fields },
  now: EpochMs,
): IncomingResponse {
  const { status, reason, version } = learned;
  const fields = asRemembered(learned, now);
  const isHead = request.method === 'HEAD';
  if (status !== 200) {
    const lines = fields.without('content-type', 'content-encoding', 'etag', 'last-modified');
    const empty = lines.plus('Content-Length', '0');
    return { status, reason, version: '1.1', fields: empty, body: isHead ? null : BufferedBody.from('') };
  }
  const representation = {
    etag: fields.first('etag') ?? null,
    lastModified: fields.first('last-modified') ?? null,
    date: fields.first('date') ?? null,
  };
  if (isNotModified(request, representation, now)) {
    return { status: 304, reason: 'Not Modified', version: '1.1', fields, body: null };
  }
  const { length } = version;
  const framing = length === null ? fields : fields.plus('Content-Length', String(length));
  return { status, reason, version: '1.1', fields: framing, body: null };
}

function framed(fields: Fields, wanted: WantedBytes, body: Body): IncomingResponse {
  const { range, length } = wanted;
  const size = ['Content-Length', String(range.to - range.from)];
  if (isWhole(wanted)) return { status: 200, reason: 'OK', version: '1.1', fields: fields.plus(...size), body };
  const part = fields.plus(...size, 'Content-Range', formatContentRange(range, length));
  return { status: 206, reason: 'Partial Content', version: '1.1', fields: part, body };
}

function asRemembered(learned: LearnedOriginal, now: EpochMs): Fields {
  const age = ageOf(learned, now);
  return age > 0 ? learned.fields.plus('Age', String(age)) : learned.fields;
}

function holds(fields: Fields, learned: LearnedOriginal | null, now: EpochMs): boolean {
  if (learned === null) return false;
  return ifRangeHolds(fields, {
    etag: learned.fields.first('etag') ?? null,
    lastModified: learned.fields.first('last-modified') ?? null,
    date: learned.fields.first('date') ?? null,
    now,
  });
}

const ofContent: ReadonlySet<string> = new Set([
  ...['content-type', 'content-language', 'content-disposition', 'last-modified'],
  ...['date', 'age', 'cache-control', 'expires', 'accept-ranges'],
]);
