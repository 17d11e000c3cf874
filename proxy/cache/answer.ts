import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import type { Body } from '../http/body.js';
import { BufferedBody } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import type { Request, Response } from '../http/message.js';
import { multipartByteranges } from '../http/multipart-byteranges.js';
import type { Provenance } from '../http/provenance.js';
import { formatContentRange, type ByteRange } from '../http/range.js';
import type { ResponseMetadata } from './stored-response.js';
import { answersNotModified, requestedRanges } from './wanted.js';

/** A selected response whose bytes can be had from the store, or from a transfer that is under way. */
export interface Representation extends Answerable {
  readonly metadata: ResponseMetadata;
}

/** As much of it as an answer is made from. */
export interface Answerable {
  readonly metadata: Pick<ResponseMetadata, 'status' | 'reason' | 'fields'>;
  /** Of the whole; null if only the end of a transfer will tell. */
  readonly length: Bytes | null;
  /** Whether trailer fields are known to come after the whole. */
  readonly hasTrailers?: boolean;
  /** The bytes from ≤ position < to (null: to the end). */
  open(from: Bytes, to: Bytes | null): Body;
}

/** As much of a request as an answer depends on. */
export type Answered = Pick<Request, 'method' | 'fields' | 'version'>;

export interface AnswerOptions {
  /** The fields to begin with: the stored ones, or those that have just come from upstream. */
  readonly fields: Fields;
  /** Whether they are sent again and again, so that their text is worth keeping. */
  readonly recurring: boolean;
  /** What this node says of itself and the answer: names and values in turns. */
  readonly added: readonly string[];
  readonly outcome: string;
  readonly now: EpochMs;
  readonly provenance?: Provenance | undefined;
}

/**
 * The answer to a GET or HEAD request from a representation: the client's preconditions, its ranges, or the whole
 * (RFC 9111 §4.3.2, RFC 9110 §13.2.2 and §14).
 */
export function answerFrom(representation: Answerable, request: Answered, options: AnswerOptions): Response {
  const { metadata } = representation;
  if (answersNotModified(metadata, request, options.now)) return notModified(options);
  if (metadata.status === 200) {
    const partial = rangeAnswer(representation, request, options);
    if (partial !== null) return partial;
  }
  return whole(representation, request, options);
}

function notModified(options: AnswerOptions): Response {
  return {
    status: 304,
    reason: 'Not Modified',
    fields: notModifiedFields(options.fields).plus(...options.added),
    body: null,
    note: { outcome: options.outcome },
    provenance: options.provenance,
  };
}

const notModifiedMemo = new WeakMap<Fields, Fields>();

/** Without the metadata that only describes the content that is not sent (RFC 9110 §15.4.5). */
export function notModifiedFields(fields: Fields): Fields {
  const known = notModifiedMemo.get(fields);
  if (known !== undefined) return known;
  const hasTag = fields.has('etag');
  const kept = fields.filter(
    (name) =>
      name === 'content-location' ||
      (!(
        name.startsWith('content-') &&
        name !== 'content-security-policy' &&
        name !== 'content-security-policy-report-only'
      ) &&
        !(hasTag && name === 'last-modified')),
  );
  notModifiedMemo.set(fields, kept);
  return kept;
}

function rangeAnswer(representation: Answerable, request: Answered, options: AnswerOptions): Response | null {
  const { length, metadata } = representation;
  if (length === null) return null;
  const resolved = requestedRanges(metadata, length, request, options.now);
  if (resolved === null || resolved.kind === 'ignore') return null;
  if (resolved.kind === 'unsatisfiable') return unsatisfiable(length, options);
  const [first] = resolved.ranges;
  if (resolved.ranges.length === 1 && first !== undefined) return singleRange(representation, first, length, options);
  return multipleRanges(representation, resolved.ranges, length, options);
}

/** What is said of the document's freshness does not hold for this answer: nobody further out is to store it. */
function unsatisfiable(length: Bytes, options: AnswerOptions): Response {
  const fields = notModifiedFields(options.fields).without(...ofTheDocument);
  return {
    status: 416,
    reason: 'Range Not Satisfiable',
    fields: fields.plus(...options.added, 'Content-Range', `bytes */${length}`, 'Content-Length', '0'),
    body: BufferedBody.from(''),
    note: { outcome: options.outcome },
    provenance: options.provenance,
  };
}

const ofTheDocument = [
  'etag',
  'last-modified',
  'cache-control',
  'cdn-cache-control',
  'expires',
  'pragma',
  'cache-groups',
  'digest',
  'repr-digest',
];

function singleRange(source: Answerable, range: ByteRange, length: Bytes, options: AnswerOptions): Response {
  return {
    status: 206,
    reason: 'Partial Content',
    fields: options.fields
      .without('content-length', 'content-range')
      .plus(
        ...options.added,
        'Content-Range',
        formatContentRange(range, length),
        'Content-Length',
        String(range.to - range.from),
      ),
    body: source.open(range.from, range.to),
    note: { outcome: options.outcome },
    provenance: options.provenance,
  };
}

function multipleRanges(
  source: Answerable,
  ranges: readonly ByteRange[],
  length: Bytes,
  options: AnswerOptions,
): Response {
  const parts = ranges.map((range) => ({ range, open: () => source.open(range.from, range.to) }));
  const multipart = multipartByteranges(parts, length, options.fields.first('content-type') ?? null, boundary());
  const fields = options.fields.without('content-length', 'content-range', 'content-type').plus(...options.added);
  return {
    status: 206,
    reason: 'Partial Content',
    fields: fields.plus('Content-Type', multipart.contentType, 'Content-Length', String(multipart.length)),
    body: multipart.body,
    note: { outcome: options.outcome },
    provenance: options.provenance,
  };
}

const boundary = (): string => `willis-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;

function whole(representation: Answerable, request: Answered, options: AnswerOptions): Response {
  const { metadata, length, hasTrailers } = representation;
  const { fields, recurring, added } = options;
  const contentless = request.method === 'HEAD' || metadata.status === 204;
  // trailers go with chunks only (RFC 9112 §7.1.2)
  const chunked = hasTrailers === true && !contentless && request.version === '1.1';
  const sized = chunked || length === null || fields.has('content-length') || metadata.status === 204;
  const lines = sized ? added : [...added, 'Content-Length', String(length)];
  const body = contentless ? null : representation.open(bytes(0), null);
  return {
    status: metadata.status,
    reason: metadata.reason,
    fields: recurring ? fields.continuedBy(...lines) : fields.plus(...lines),
    body: chunked && body !== null ? new UnmeasuredBody(body) : body,
    note: { outcome: options.outcome },
    provenance: options.provenance,
  };
}

/** A body that keeps its length to itself, so that it is sent in chunks. */
class UnmeasuredBody implements Body {
  readonly length = null;

  constructor(private readonly body: Body) {}

  get trailers(): Fields {
    return this.body.trailers;
  }

  read(): ReturnType<Body['read']> {
    return this.body.read();
  }

  cancel(reason?: Error): void {
    this.body.cancel(reason);
  }
}
