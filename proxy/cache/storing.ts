import { bytes, type Bytes } from '../../config/units.js';
import { sourceOf } from '../forward/answered-by.js';
import { BufferedBody, type Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import { parseContentRange } from '../http/range.js';
import { hrefOf } from '../http/target-uri.js';
import { resolveReference } from '../http/uri-reference.js';
import type { Representation } from './answer.js';
import { parseResponseDirectives } from './cache-control.js';
import { cacheGroups } from './cache-groups.js';
import { newContentName } from './content-name.js';
import { Fill } from './fill.js';
import { freshenedFields } from './freshen.js';
import { computeFreshness, type FreshnessPolicy } from './freshness.js';
import { canCombine } from './partial.js';
import { isOverridden } from './overridden-request.js';
import { mayBeProvoked } from './provoked-error.js';
import type { ReceivedResponse } from './receive-response.js';
import type { Generation, ResponseStore } from './response-store.js';
import { storability, storedFields } from './storability.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';
import { strongValidatorOf } from './strong-validator.js';
import { selectingFieldsOf } from './vary.js';
import type { Visit } from './visit.js';

export type StoringOutcome =
  /** Its bytes go to the store as they come; readers take them from `representation`. */
  | { readonly kind: 'storing'; readonly representation: FilledRepresentation }
  /** Whoever asked gets it as it came. */
  | { readonly kind: 'not-stored'; readonly reason: string };

/** A representation that is on its way from upstream. */
export interface FilledRepresentation extends Representation {
  /** False once its first bytes are no longer there for a further reader. */
  readonly joinable: boolean;
  /** The listener is called when its transfer is over; now, if it is. */
  whenEnded(listener: () => void): void;
}

const readAhead = bytes(256 * 1024);
const completeWithin = bytes(1024 * 1024);
/** Many times what is read ahead, so that most who join a transfer late still find its beginning. */
const window = bytes(16 * 1024 * 1024);

/** Decides about storing what came from upstream, and begins it (RFC 9111 §3). */
export class Storing {
  constructor(
    private readonly store: ResponseStore,
    private readonly policy: FreshnessPolicy,
  ) {}

  /** What the operator decides for a visit's responses where they leave it open. */
  policyFor({ rule }: Visit): FreshnessPolicy {
    return rule === null || rule.lifetime === null ? this.policy : { ...this.policy, lifetime: rule.lifetime };
  }

  /** Metadata of a response as it would be stored now; null with the reason why it may not be. */
  #judge(
    visit: Visit,
    received: ReceivedResponse,
  ): { metadata: ResponseMetadata; reason: null } | { metadata: null; reason: string } {
    if (received.isUnproven === true) return { metadata: null, reason: 'unproven' };
    const directives = parseResponseDirectives(received.fields, visit.route.actsForOrigin);
    const { status, fields, requestTime, responseTime } = received;
    const policy = this.policyFor(visit);
    const isPost = visit.request.method === 'POST';
    const freshness = computeFreshness({ status, fields, directives, requestTime, responseTime, policy });
    const verdict = storability({
      request: { method: visit.request.method, fields: visit.request.fields, hasBody: hasContent(visit) },
      response: received,
      directives,
      requestDirectives: visit.directives,
      freshness,
      targetHref: isPost ? hrefOf(visit.request.target) : '',
      contentLocationHref: isPost ? contentLocation(visit, received.fields) : null,
    });
    if (!verdict.store) return { metadata: null, reason: verdict.reason };
    if (mayBeProvoked(received.sent, { status, fields, freshness })) return { metadata: null, reason: 'provoked' };
    if (isOverridden(received.sent, visit.request, visit.route.actsForOrigin, fields)) {
      return { metadata: null, reason: 'overridden' };
    }
    const selecting = selectingFieldsOf(received.fields, visit.request.fields);
    // a field that Connection named did not get as far as the origin server (RFC 9110 §7.6.1)
    const dropped = (name: string): boolean => visit.request.fields.has(name) && !received.sent.has(name);
    if (selecting === null || selecting.names.some(dropped)) return { metadata: null, reason: 'vary' };
    const metadata: ResponseMetadata = {
      key: visit.key,
      status: received.status === 206 ? 200 : received.status,
      reason: received.status === 206 ? 'OK' : received.reason,
      fields: storedFields(received.fields, directives, received.responseTime, received.status),
      selecting,
      requestTime: received.requestTime,
      responseTime: received.responseTime,
      freshness,
      groups: cacheGroups(received.fields),
      source: received.answeredBy === null ? null : sourceOf(received.answeredBy),
      contentName: newContentName(),
    };
    return { metadata, reason: null };
  }

  /**
   * Begins to store a whole response, or the part that a 206 brings; what is stored of the same representation already
   * is kept and added to.
   */
  begin(
    visit: Visit,
    received: ReceivedResponse,
    candidates: readonly StoredResponse[],
    generation: Generation,
  ): StoringOutcome {
    const extend = received.status === 206 ? candidates.find((stored) => canCombine(stored, received)) : undefined;
    const { metadata, reason } = this.#judge(visit, extend === undefined ? received : combined(received, extend));
    if (metadata === null) return { kind: 'not-stored', reason };
    const place = placeOf(received);
    if (place === null) return { kind: 'not-stored', reason: 'content-range' };
    const { from, length } = place;
    const draft = { metadata, generation, from, length, extend };
    const writer = this.store.write(draft);
    if (writer === null) return { kind: 'not-stored', reason: this.store.refusal(draft) };
    // a part is of use with a strong validator only, for If-Range (RFC 9110 §13.1.5)
    const keepPart = (): boolean => strongValidatorOf(metadata.fields, metadata.responseTime) !== null;
    const open = (stored: StoredResponse, start: Bytes, end: Bytes): Body =>
      this.store.open(stored, bytes(from + start), bytes(from + end));
    const options = { readAhead, completeWithin, keepPart, backing: { window, open } };
    const fill = new Fill(received.body ?? BufferedBody.from(''), writer, options);
    // those who waited for this response become its readers in this turn
    setImmediate(fill.hold());
    return { kind: 'storing', representation: new Filling(metadata, fill) };
  }
}

/**
 * A 206 to a request with If-Range brings few fields; what is stored already has the others, and what they say goes on to
 * hold (RFC 9111 §3.4).
 */
function combined(part: ReceivedResponse, stored: StoredResponse): ReceivedResponse {
  const ofTheMessage = part.fields.filter((name) => ownOfPart.has(name));
  return { ...part, fields: freshenedFields(stored.fields, part.fields).plus(...ofTheMessage.lines) };
}

const ownOfPart: ReadonlySet<string> = new Set(['age', 'content-length', 'content-range']);

class Filling implements FilledRepresentation {
  constructor(
    readonly metadata: ResponseMetadata,
    private readonly fill: Fill,
  ) {}

  get length(): Bytes | null {
    return this.fill.length;
  }

  whenEnded(listener: () => void): void {
    this.fill.whenEnded(listener);
  }

  get joinable(): boolean {
    return this.fill.joinable;
  }

  open(from: Bytes, to: Bytes | null): Body {
    return this.fill.reader(from, to);
  }
}

/** Where the bytes of a response lie in the whole; null if a 206 does not say so usably. */
function placeOf(received: ReceivedResponse): { from: Bytes; length: Bytes | null } | null {
  if (received.status === 206 && !received.sent.has('range')) return null;
  if (received.status !== 206)
    return { from: bytes(0), length: received.body === null ? bytes(0) : received.body.length };
  const range = parseContentRange(received.fields.get('content-range') ?? '');
  if (range === null || 'unsatisfied' in range) return null;
  return { from: range.from, length: range.length };
}

const hasContent = ({ request }: Visit): boolean => request.body !== null && request.body.length !== 0;

function contentLocation({ request }: Visit, fields: Fields): string | null {
  const reference = fields.first('content-location');
  const uri = reference === undefined ? null : resolveReference(request.target, reference);
  return uri && hrefOf(uri);
}
