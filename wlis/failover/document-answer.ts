import { bytes, type Bytes, type EpochMs, type Milliseconds } from '../../config/units.js';
import { answerFrom, type Answerable } from '../../proxy/cache/answer.js';
import type { IncomingResponse, OutgoingRequest } from '../../proxy/forward/upstream.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';
import { preconditionFails } from '../../proxy/http/preconditions.js';
import { plainNotFound } from '../documents/plain-not-found.js';
import type { PreparedVariant } from '../documents/prepared-document.js';
import type { Variant } from '../trust/variant.js';
import type { KnownDocument } from './known-document.js';

export interface AnswerFacts {
  readonly now: EpochMs;
  /** Since its primary confirmed it; null at the primary itself, which answers as the origin server does. */
  readonly age: Milliseconds | null;
  /** The bytes of the variant from ≤ position < to. */
  readonly open: (variant: Variant, from: Bytes, to: Bytes) => Body;
}

/**
 * The answer to a GET or HEAD request, made from the record alone: what a node sent along with the bytes is of no account
 * (protocol, rule 4).
 */
export function documentAnswer(
  { prepared }: KnownDocument,
  { method, fields }: Pick<OutgoingRequest, 'method' | 'fields'>,
  facts: AnswerFacts,
): IncomingResponse {
  const added = ofTheMessage(facts);
  if (prepared === null) return { ...plainNotFound(method, added), version: '1.1' };
  const chosen = prepared.variantFor(fields);
  if (conditionFails(chosen, { method, fields }, facts.now)) {
    const lines = ['Content-Length', '0', ...added];
    const body = method === 'HEAD' ? null : BufferedBody.from('');
    return { status: 412, reason: 'Precondition Failed', version: '1.1', fields: new Fields(lines), body };
  }
  const { variant } = chosen;
  const length = variant?.length ?? bytes(0);
  const open = (from: Bytes, to: Bytes | null): Body =>
    variant === null || length === 0 ? BufferedBody.from('') : facts.open(variant, from, to ?? length);
  const answerable: Answerable = { metadata: datedMetadata(chosen, fields, facts.now), length, open };
  const options = { fields: chosen.fields, recurring: true, added, outcome: '', now: facts.now };
  const answer = answerFrom(answerable, { method, fields, version: '1.1' }, options);
  const { status, reason, body } = answer;
  return { status, reason, version: '1.1', fields: answer.fields, body: method === 'HEAD' ? null : body };
}

function ofTheMessage({ now, age }: AnswerFacts): string[] {
  const date = ['Date', formatHttpDate(now)];
  return age === null ? date : [...date, 'Age', String(Math.max(0, Math.floor(age / 1000)))];
}

/** RFC 9110 §13.2.2, steps 1 and 2: whoever answers from a record stands for the origin server. */
function conditionFails({ metadata, fields }: PreparedVariant, request: Asked, now: EpochMs): boolean {
  if (metadata.status !== 200) return false;
  const current = { etag: fields.first('etag') ?? null, lastModified: fields.first('last-modified') ?? null };
  return preconditionFails(request, current, now);
}

type Asked = Pick<OutgoingRequest, 'method' | 'fields'>;

/** With the time of the answer, by which an `If-Range` with a date is judged (RFC 9110 §13.1.5, §8.8.2.2). */
function datedMetadata({ metadata, variant }: PreparedVariant, asked: Fields, now: EpochMs): Answerable['metadata'] {
  if (variant?.lastModified == null || !asked.has('if-range')) return metadata;
  return { ...metadata, fields: metadata.fields.plus('Date', formatHttpDate(now)) };
}
