import type { Bytes, EpochMs } from '../../config/units.js';
import { bytes } from '../../config/units.js';
import { ConcatenatedBody, type Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import { parseContentRange } from '../http/range.js';
import type { Representation } from './answer.js';
import { Fill } from './fill.js';
import { supersedes, type ForwardResult } from './forward-result.js';
import { freshenedFields } from './freshen.js';
import { computeFreshness, type FreshnessPolicy } from './freshness.js';
import { canCombine, completionRequest, covers } from './partial.js';
import type { ReceivedResponse } from './receive-response.js';
import type { Generation, ResponseStore } from './response-store.js';
import type { Storing } from './storing.js';
import type { Interval, ResponseMetadata, StoredResponse } from './stored-response.js';
import type { Visit } from './visit.js';
import { wantedOf } from './wanted.js';

export interface CompletionOptions {
  readonly store: ResponseStore;
  readonly storing: Storing;
  readonly now: EpochMs;
  readonly generation: Generation;
  send(fields: Fields): Promise<ReceivedResponse>;
}

export type Completion =
  /** The stored bytes and the missing ones, as one. */
  | { readonly kind: 'joined'; readonly representation: Representation; readonly stored: boolean }
  /** The stored part is out of date: this is the new response. */
  | { readonly kind: 'replaced'; readonly result: ForwardResult }
  /** The request has to be forwarded as it is. */
  | { readonly kind: 'impossible' };

/**
 * Fetches what a stored part lacks for a request, by one range request with `If-Range`, which validates it as well
 * (RFC 9111 §3.3, §3.4; RFC 9110 §13.1.5).
 */
export async function complete(visit: Visit, stored: StoredResponse, options: CompletionOptions): Promise<Completion> {
  const wanted = wantedOf(stored, visit.request, options.now);
  const ask = wanted === 'several' ? null : completionRequest(stored, wanted);
  if (ask === null) return { kind: 'impossible' };
  const { fields } = visit.route.outgoing();
  const received = await options.send(
    fields
      .without('range', 'if-range', 'if-none-match', 'if-modified-since')
      .plus('Range', ask.range, 'If-Range', ask.ifRange),
  );
  if (received.status === 206) return join(visit, stored, received, wanted === 'several' ? null : wanted, options);
  if (received.status === 416 || received.status === 304) {
    received.body?.cancel();
    await options.store.remove(stored);
    return { kind: 'impossible' };
  }
  const result = { ...options.storing.begin(visit, received, [stored], options.generation), received };
  if (supersedes(result)) await options.store.remove(stored);
  return { kind: 'replaced', result };
}

function join(
  visit: Visit,
  stored: StoredResponse,
  received: ReceivedResponse,
  wanted: Interval | null,
  options: CompletionOptions,
): Completion {
  const range = parseContentRange(received.fields.get('content-range') ?? '');
  const { body } = received;
  const usable = range !== null && !('unsatisfied' in range) && canCombine(stored, received);
  if (body === null || !usable || !fits(stored, range, wanted)) {
    body?.cancel();
    return { kind: 'impossible' };
  }
  const length = range.length ?? stored.length;
  const outcome = options.storing.begin(visit, received, [stored], options.generation);
  const part = outcome.kind === 'storing' ? outcome.representation : unstored(body);
  const held = (from: Bytes, to: Bytes): Body => options.store.open(stored, from, to);
  const metadata =
    outcome.kind === 'storing'
      ? outcome.representation.metadata
      : updated(stored, received, options.storing.policyFor(visit));
  const open = (from: Bytes, to: Bytes | null): Body =>
    splice(from, to ?? length, range, held, (start, end) => part.open(start, end));
  return { kind: 'joined', representation: { metadata, length, open }, stored: outcome.kind === 'storing' };
}

/** What is told of a combination that is not stored: as of one that is (RFC 9111 §3.4). */
function updated(stored: StoredResponse, received: ReceivedResponse, policy: FreshnessPolicy): ResponseMetadata {
  const { directives } = stored.freshness;
  const freshness = computeFreshness({ ...received, directives, policy });
  return { ...stored, fields: freshenedFields(stored.fields, received.fields), freshness };
}

/** Whether stored bytes and a received range together are all that is wanted. */
function fits(
  stored: StoredResponse,
  range: { from: Bytes; to: Bytes; length: Bytes | null },
  wanted: Interval | null,
): boolean {
  const end = wanted?.to ?? range.length ?? stored.length;
  // where the whole ends is not known
  if (end === null) return false;
  const from = wanted?.from ?? bytes(0);
  const before = from >= range.from || covers(stored.held, { from, to: range.from });
  const after = end <= range.to || covers(stored.held, { from: range.to, to: end });
  return before && after;
}

/** Bytes from ≤ position < to, those within `range` from the new part, the others from what is held. */
function splice(
  from: Bytes,
  to: Bytes | null,
  range: Interval,
  held: (from: Bytes, to: Bytes) => Body,
  part: (from: Bytes, to: Bytes | null) => Body,
): Body {
  const end = to ?? range.to;
  const pieces: Body[] = [];
  if (from < range.from) pieces.push(held(from, bytes(Math.min(end, range.from))));
  if (from < range.to && end > range.from) {
    pieces.push(part(bytes(Math.max(0, from - range.from)), bytes(Math.min(end, range.to) - range.from)));
  }
  if (end > range.to) pieces.push(held(bytes(Math.max(from, range.to)), end));
  return new ConcatenatedBody(pieces);
}

/** A part that the store does not take: read from this turn on, or given up. */
function unstored(body: Body): { open(from: Bytes, to: Bytes | null): Body } {
  const fill = new Fill(body, null, { readAhead: bytes(64 * 1024), completeWithin: bytes(0), keepPart: () => false });
  setImmediate(fill.hold());
  return { open: (from, to) => fill.reader(from, to) };
}
