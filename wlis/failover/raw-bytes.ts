import { bytes, type Bytes } from '../../config/units.js';
import { parseContentRange } from '../../proxy/http/range.js';
import { digestBytes, type Digest } from '../trust/digest.js';
import type { NodeAnswer } from './node-answer.js';

/** Bytes of a content that are on their way, of which nothing has been verified. */
export interface RawBytes {
  readonly answer: NodeAnswer;
  /** Where they begin and end in the content. */
  readonly from: Bytes;
  readonly to: Bytes;
}

/** What is expected of an answer. */
export interface ExpectedBytes {
  /** With all of the content. */
  readonly status: number;
  readonly digest: Digest;
  readonly length: Bytes;
  readonly coding: string | null;
  /** What was asked for; null for all of it. */
  readonly range: { readonly from: Bytes; readonly to: Bytes | null } | null;
}

/**
 * What an answer with content brings of a content: the bytes; null if it brings something else, as it says itself; or in words
 * why it cannot be true.
 */
export function rawBytes(answer: NodeAnswer, expected: ExpectedBytes): RawBytes | null | string {
  const { status, fields } = answer;
  const { digest, length, coding, range } = expected;
  if (status !== expected.status && !(status === 206 && expected.status === 200)) return null;
  const said = /sha-256=:([A-Za-z0-9+/=]{44}):/.exec(fields.get('repr-digest') ?? '')?.[1];
  if (said !== undefined && said !== Buffer.from(digestBytes(digest)).toString('base64')) return null;
  if ((fields.get('content-encoding')?.toLowerCase() ?? null) !== coding) return null;
  if (status === expected.status) return withLength({ answer, from: bytes(0), to: length });
  if (range === null) return 'a part was sent for all of it';
  const sent = parseContentRange(fields.get('content-range') ?? '');
  if (sent === null || 'unsatisfied' in sent) return 'a part without its place';
  if (sent.length !== null && sent.length !== length) return `a part of ${sent.length} bytes instead of ${length}`;
  const to = bytes(Math.min(length, range.to ?? length));
  if (sent.from !== range.from || sent.to !== to) return 'another part than was asked for';
  return withLength({ answer, from: sent.from, to: sent.to });
}

function withLength(raw: RawBytes): RawBytes | string {
  const { answer, from, to } = raw;
  const isRight = answer.length === null || answer.length === to - from;
  return isRight ? raw : `${answer.length} bytes instead of ${to - from}`;
}
