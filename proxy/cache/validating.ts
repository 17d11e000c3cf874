import { sourceOf } from '../forward/answered-by.js';
import { Fields } from '../http/fields.js';
import {
  parseRequestDirectives,
  parseResponseDirectives,
  type RequestDirectives,
  type ResponseDirectives,
} from './cache-control.js';
import { cacheGroups } from './cache-groups.js';
import { newContentName } from './content-name.js';
import type { Validated } from './forward-result.js';
import { canFreshenFromHead, freshenedFields } from './freshen.js';
import { computeFreshness, type Freshness } from './freshness.js';
import type { ReceivedResponse } from './receive-response.js';
import type { Generation, ResponseStore } from './response-store.js';
import { storability, storedFields, type NotStorable, type StorabilityInput } from './storability.js';
import type { Storing } from './storing.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';
import { confirmsOnly, selectFor304, type Validation } from './validation.js';
import { selectingFieldsOf, selects } from './vary.js';
import type { Visit } from './visit.js';
import { heldFor } from './wanted.js';

/** What a newer message makes of a stored response. */
interface Update {
  /** As it is to be stored. */
  readonly metadata: ResponseMetadata;
  /** As the one who asked is told. */
  readonly told: ResponseMetadata;
  /** Why it may not be stored so; null if it may. */
  readonly against: NotStorable | null;
}

/** Applies what a 304, or the answer to a HEAD request, says of stored responses (RFC 9111 §4.3.4, §4.3.5). */
export class Validating {
  constructor(
    private readonly store: ResponseStore,
    private readonly storing: Storing,
  ) {}

  /**
   * Freshens every stored response that a 304 selects. Gives the one that now answers the request; null if the 304 is
   * about none of them, or those are no longer stored, or lack bytes that the request wants.
   */
  async freshen(
    visit: Visit,
    received: ReceivedResponse,
    validation: Validation,
    candidates: readonly StoredResponse[],
    generation: Generation,
  ): Promise<Validated | null> {
    let answering: Validated | null = null;
    for (const stored of selectFor304(candidates, received.fields, validation)) {
      const applied = this.#apply(stored, this.#update(visit, stored, received), generation);
      const validated = applied instanceof Promise ? await applied : applied;
      // another variant may be there in part only
      const answers = validated !== null && heldFor(validated.stored, visit.request, received.responseTime);
      if (answers && (stored.id === validation.validated?.id || answering === null)) answering = validated;
    }
    if (answering !== null) return answering;
    const { validated } = validation;
    if (validated === null || !confirmsOnly(received.fields, validation)) return null;
    // it may not be freshened; a new one can be, and will spare the validations to come
    const { freshness } = this.#update(visit, validated, received).metadata;
    if (freshness.lifetime > 0) await this.store.remove(validated);
    return { kind: 'validated', stored: validated, metadata: validated, updated: false };
  }

  /** Freshens what a HEAD response matches and invalidates what it contradicts. */
  async learnFromHead(
    visit: Visit,
    received: ReceivedResponse,
    candidates: readonly StoredResponse[],
    generation: Generation,
  ): Promise<void> {
    if (received.status !== 200 || received.isUnproven === true) return;
    const selectable = candidates.filter((stored) => selects(stored.selecting, visit.request.fields));
    for (const stored of selectable) {
      if (canFreshenFromHead(stored, received)) {
        await this.#apply(stored, this.#update(visit, stored, received), generation);
      } else await this.store.invalidate(visit.key);
    }
  }

  /**
   * Stores an update. One that may not be stored answers its own request all the same; the stored response is forgotten
   * if it is withdrawn from everybody (RFC 9111 §5.2.2.5), and stays as it was if the update is about one client only.
   * Null if it is no longer stored.
   */
  #apply(
    stored: StoredResponse,
    { metadata, told, against }: Update,
    generation: Generation,
  ): Validated | null | Promise<Validated | null> {
    if (against === null) {
      const answerWith = (freshened: StoredResponse | null): Validated | null =>
        freshened && { kind: 'validated', stored: freshened, metadata: told, updated: true };
      const freshened = this.store.freshen(stored, metadata, generation);
      return freshened instanceof Promise ? freshened.then(answerWith) : answerWith(freshened);
    }
    const answer: Validated = { kind: 'validated', stored, metadata: told, updated: false };
    return withdrawing.has(against) ? this.store.remove(stored).then(() => answer) : answer;
  }

  #update(visit: Visit, stored: StoredResponse, received: ReceivedResponse): Update {
    const { request } = visit;
    // what the stored response said of its fields goes on to hold where the new one says nothing
    const merged = freshenedFields(stored.fields, received.fields);
    const directives = parseResponseDirectives(merged, visit.route.actsForOrigin);
    const { status } = stored;
    const { requestTime, responseTime } = received;
    const fields = storedFields(merged, directives, responseTime, status);
    const age = received.fields.first('age');
    const dated = age === undefined ? fields : fields.plus('Age', age);
    const policy = this.storing.policyFor(visit);
    const freshness = computeFreshness({ status, fields: dated, directives, requestTime, responseTime, policy });
    const against =
      received.isUnproven === true
        ? 'unproven'
        : reasonAgainst(visit, { status, fields: merged }, directives, freshness);
    const varied = fields.get('vary') !== stored.fields.get('vary');
    const selecting = (varied ? selectingFieldsOf(fields, request.fields) : null) ?? stored.selecting;
    const { key, reason } = stored;
    const groups = cacheGroups(fields);
    const about = { key, status, reason, fields, selecting, requestTime, responseTime, freshness, groups };
    const { answeredBy } = received;
    const source = answeredBy === null ? null : sourceOf(answeredBy);
    // what was stored before contents had names gets one now
    const contentName = stored.contentName ?? newContentName();
    const metadata: ResponseMetadata = { ...about, source, contentName };
    return { metadata, told: fields === merged ? metadata : { ...metadata, fields: merged }, against };
  }
}

/** Why an update may not be stored: for anybody's sake, or for that of the one who asked. */
function reasonAgainst(
  { request, directives: requestDirectives }: Visit,
  response: StorabilityInput['response'],
  directives: ResponseDirectives,
  freshness: Freshness,
): NotStorable | null {
  const judge = (of: StorabilityInput['request'], its: RequestDirectives): NotStorable | null => {
    const verdict = storability({
      request: of,
      requestDirectives: its,
      response,
      directives,
      freshness,
      targetHref: '',
      contentLocationHref: null,
    });
    return verdict.store ? null : verdict.reason;
  };
  const against = judge(anybodys, noDirectives);
  // nothing else of a GET speaks against storing
  if (against !== null || !(requestDirectives.noStore || request.fields.has('authorization'))) return against;
  return judge({ method: 'GET', fields: request.fields, hasBody: false }, requestDirectives);
}

/** A request that gives no reason of its own against storing. */
const anybodys = { method: 'GET', fields: Fields.none, hasBody: false };
const noDirectives = parseRequestDirectives(Fields.none);

/** By these the origin server takes back what it has given to everybody; others are about the request or its answer. */
const withdrawing: ReadonlySet<NotStorable> = new Set(['no-store', 'private', 'must-understand', 'no-cache', 'vary']);
