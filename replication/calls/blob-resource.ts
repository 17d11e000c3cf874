import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { ifRangeHolds, isNotModified } from '../../proxy/http/preconditions.js';
import { formatContentRange, parseRange, resolveRanges, type ByteRange } from '../../proxy/http/range.js';
import { parseDigest, type Digest } from '../../wlis/trust/digest.js';
import type { BlobReads } from './blob-reads.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { immutableFields, immutableValidators, notHere } from './immutable-answer.js';
import { IteratedBody } from '../../wlis/calls/iterated-body.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';

export interface BlobResourceOptions {
  readonly blobs: BlobReads;
  readonly now: () => EpochMs;
}

/**
 * `GET …/blob/<sha-256>`: bytes by their digest, or one range of them. Whoever knows a digest may have what it is of: digests
 * stand in records, and these are for whoever may read the namespace.
 */
export class BlobResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: BlobResourceOptions;

  constructor(options: BlobResourceOptions) {
    this.#options = options;
  }

  answer({ request, rest }: ReceivedCall): Response {
    const { blobs, now } = this.#options;
    const digest = parseDigest(rest, 'blob');
    const length = blobs.lengthOf(digest);
    if (length === undefined) throw notHere(digest);
    if (isNotModified(request, immutableValidators(digest), now())) {
      return { status: 304, reason: 'Not Modified', fields: new Fields(immutableFields(digest)), body: null };
    }
    const range = askedRange(request, digest, length, now());
    const { from, to } = range ?? { from: bytes(0), to: length };
    const part = range === null ? [] : ['Content-Range', formatContentRange(range, length)];
    return {
      ...(range === null ? { status: 200, reason: 'OK' } : { status: 206, reason: 'Partial Content' }),
      fields: new Fields([...immutableFields(digest), 'Content-Length', String(to - from), ...part]),
      body: new IteratedBody(blobs.readUnchecked(digest, from, to), bytes(to - from)),
    };
  }
}

/** Null for all of it, which is also the answer to several ranges. @throws CallProblem range-not-satisfiable */
function askedRange({ fields }: Request, digest: Digest, length: Bytes, now: EpochMs): ByteRange | null {
  const specs = parseRange(fields.get('range') ?? '');
  if (specs?.length !== 1 || !ifRangeHolds(fields, { ...immutableValidators(digest), now })) return null;
  const resolved = resolveRanges(specs, length);
  if (resolved.kind === 'satisfiable') return resolved.ranges[0] ?? null;
  if (resolved.kind === 'ignore') return null;
  const contentRange = ['Content-Range', `bytes */${length}`];
  throw new CallProblem(416, 'range-not-satisfiable', `${digest} has ${length} bytes`, contentRange);
}
