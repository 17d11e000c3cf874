import { bytes, type Milliseconds } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { IncomingResponse } from '../../proxy/forward/upstream.js';
import { parseContentRange } from '../../proxy/http/range.js';
import type { PlaceAnswer } from './ask-place.js';
import { isComparable, versionIn, withDigestOf } from './document-version.js';
import { confirmedBy, learnFrom, type LearnedOriginal, type OriginalsAnswer } from './learned-original.js';
import { hasFailed, type MirrorErrand } from './mirror-errand.js';
import { contentOf, type WantedBytes } from './mirrored-content.js';
import { ObservedBody } from './observed-body.js';

/** The original could not be asked, or could not answer. */
export interface OriginalFailed {
  readonly kind: 'failed';
  /** Whether it might have answered if it had been waited for. */
  readonly isLate: boolean;
  /** Its answer, if it gave one. @throws WillisError what it failed with otherwise */
  give(): IncomingResponse;
  /** Somebody else has answered. */
  drop(): void;
}

/** What the original says of a document, and what is remembered of that. */
export class OriginalsWord {
  constructor(private readonly errand: MirrorErrand) {}

  /** Whether it failed so lately that it need not be asked where there is another way. */
  get looksDown(): boolean {
    const { ground } = this.errand.parts;
    return ground.health.of(this.errand.original.url).breaker === 'open';
  }

  /** What it said last, to such a request. */
  recalled(): LearnedOriginal | null {
    const { errand } = this;
    return errand.parts.ground.learned.of(errand.uri, errand.request.fields);
  }

  /**
   * Its answer to the request as it is. Where its content breaks off, those go on with it that have the same version.
   * @param patience null: as long as the upstream allows
   * @throws WillisError for what is not its own failure
   */
  async answer(
    patience: Milliseconds | null,
    score: number | null,
  ): Promise<{ readonly kind: 'answer'; readonly response: IncomingResponse } | OriginalFailed> {
    const { errand } = this;
    const { fields, method } = errand.request;
    const requestTime = errand.now();
    const answer = await errand.ask(errand.original, fields, { patience });
    if (hasFailed(answer)) return this.#failed(answer, patience !== null);
    const { response } = answer as PlaceAnswer;
    this.#learn(this.#told(response, method, requestTime));
    const content = this.#content(answer as PlaceAnswer);
    const answeredBy = errand.answeredBy(errand.original, score);
    return { kind: 'answer', response: { ...response, body: content, answeredBy } };
  }

  /** Nobody else has an answer: its own, whatever that is, however long it takes. @param failed what came of asking it */
  async last(failed: OriginalFailed | null): Promise<IncomingResponse> {
    if (failed?.isLate === false) return failed.give();
    const outcome = await this.answer(null, null);
    return outcome.kind === 'answer' ? outcome.response : outcome.give();
  }

  /** Asks it by HEAD which version it has. `other`: it has none that could be compared, or speaks of something else. */
  async confirmed(
    learned: LearnedOriginal | null,
    patience: Milliseconds,
  ): Promise<
    | { readonly kind: 'said'; readonly learned: LearnedOriginal }
    | { readonly kind: 'other' }
    | { readonly kind: 'failed'; readonly failed: OriginalFailed }
  > {
    const { errand } = this;
    const fields = errand.request.fields.without('range', 'if-range');
    const requestTime = errand.now();
    const answer = await errand.ask(errand.original, fields, { patience, method: 'HEAD' });
    if (hasFailed(answer)) return { kind: 'failed', failed: this.#failed(answer, true) };
    const { response, attempt } = answer as PlaceAnswer;
    attempt.done();
    response.body?.cancel();
    const told = this.#learn(this.#told(response, 'HEAD', requestTime));
    if (told === null || told.status !== 200 || !isComparable(told.version)) return { kind: 'other' };
    const version = withDigestOf(told.version, learned?.version ?? null);
    return { kind: 'said', learned: { ...told, version } };
  }

  #failed(answer: PlaceAnswer | WillisError, wasHurried: boolean): OriginalFailed {
    if (!('response' in answer)) {
      const isLate = wasHurried && answer.code === 'upstream-timeout';
      return { kind: 'failed', isLate, drop: () => undefined, give: () => thrown(answer) };
    }
    const { response, place } = answer;
    return {
      kind: 'failed',
      isLate: false,
      drop: () => response.body?.cancel(),
      give: () => ({ ...response, answeredBy: this.errand.answeredBy(place, null) }),
    };
  }

  #told(response: IncomingResponse, method: string, requestTime: OriginalsAnswer['requestTime']): OriginalsAnswer {
    const { errand } = this;
    const { status, reason, fields } = response;
    const { freshness: policy } = errand.parts.settings;
    const requestFields = errand.request.fields;
    return { method, requestFields, status, reason, fields, requestTime, responseTime: errand.now(), policy };
  }

  #learn(told: OriginalsAnswer): LearnedOriginal | null {
    const { ground } = this.errand.parts;
    const before = this.recalled();
    const learned = told.status === 304 && before !== null ? confirmedBy(before, told) : learnFrom(told);
    if (learned !== null) ground.learned.put(this.errand.uri, told.requestFields, learned);
    else if (told.status !== 304 || before !== null) ground.learned.forget(this.errand.uri);
    const isDocument = told.status === 200 || told.status === 206;
    if (isDocument && (learned === null || !isComparable(learned.version))) this.errand.incomparable();
    return learned;
  }

  #content({ place, response, attempt }: PlaceAnswer): IncomingResponse['body'] {
    const { body } = response;
    if (body === null) {
      attempt.done();
      return null;
    }
    const wanted = wantedBy(response, this.errand);
    if (wanted === null) return new ObservedBody(body, attempt);
    return contentOf({ place, body, attempt }, wanted, this.errand);
  }
}

/** The bytes that an answer of the original has, if others could go on with them. */
export function wantedBy(response: IncomingResponse, errand: MirrorErrand): WantedBytes | null {
  const { status, fields, body } = response;
  const version = versionIn(response, 'GET', errand.now());
  const { length } = version;
  if (length === null || !isComparable(version)) return null;
  if (status === 200)
    return body?.length === length ? { version, length, range: { from: bytes(0), to: length } } : null;
  const range = status === 206 ? parseContentRange(fields.get('content-range') ?? '') : null;
  if (range === null || 'unsatisfied' in range || body?.length !== range.to - range.from) return null;
  return { version, length, range: { from: range.from, to: range.to } };
}

/** It looks down. */
export const notAsked: OriginalFailed = {
  kind: 'failed',
  isLate: true,
  drop: () => undefined,
  give: () => thrown(new WillisError('content-unreachable', 'the original was not asked')),
};

function thrown(error: WillisError): never {
  throw error;
}
