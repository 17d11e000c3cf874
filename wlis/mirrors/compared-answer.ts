import { bytes, type Milliseconds } from '../../config/units.js';
import { parseRequestDirectives } from '../../proxy/cache/cache-control.js';
import { asWillisError } from '../../proxy/base/errors.js';
import type { IncomingResponse } from '../../proxy/forward/upstream.js';
import { BufferedBody, readAll, type Body } from '../../proxy/http/body.js';
import type { PlaceAnswer } from './ask-place.js';
import { comparedAtOnce, isComparable, versionIn, type DocumentVersion } from './document-version.js';
import { isCurrent, mayStandIn, type LearnedOriginal } from './learned-original.js';
import { hasFailed, type MirrorErrand } from './mirror-errand.js';
import { contentOf, isWhole, unfitFor, type WantedBytes } from './mirrored-content.js';
import { notAsked, OriginalsWord, type OriginalFailed } from './originals-word.js';
import type { RankedPlace } from './ranked-places.js';
import { listedAnswer, rebuiltAnswer, wantedRange, withoutContent } from './rebuilt-answer.js';
import { fieldsForBytes, isConditional } from './sent-to-mirrors.js';

/** What mirrors are compared with. */
interface Expected {
  readonly version: DocumentVersion;
  /** Null where only a list of mirrors tells of the document. */
  readonly learned: LearnedOriginal | null;
  /** Whether the original could not be asked, and may have another version by now. */
  readonly isUnconfirmed: boolean;
}

/**
 * An answer to one request for a document whose mirrors are compared with the original.
 *
 * 1. What is known of the original is what it answered last, as long as that is fresh; or what the list of mirrors says.
 * 2. If neither is known the original is asked: for the document, if it is the first choice, otherwise by HEAD.
 * 3. Then the bytes come from the first place, in the order of the choice, that has the version of the original.
 * 4. If the original cannot be asked, what it answered before counts on, unless it forbade that.
 */
export class ComparedAnswer {
  readonly #errand: MirrorErrand;
  readonly #original: OriginalsWord;

  constructor(errand: MirrorErrand) {
    this.#errand = errand;
    this.#original = new OriginalsWord(errand);
  }

  /** @throws WillisError */
  async give(): Promise<IncomingResponse> {
    const { request } = this.#errand;
    const learned = this.#original.recalled();
    if (request.method === 'HEAD' || isConditional(request.fields)) return this.#byOriginal(learned, null);
    const listed = this.#listed(learned);
    const known = listed ?? learned;
    if (known === null ? this.#errand.isIncomparable : !isOfUse(known)) return this.#byOriginal(learned, null);
    if (listed !== null) return this.#fromPlaces(listed, null);
    const directives = parseRequestDirectives(request.fields);
    const isConfirmed = learned !== null && isCurrent(learned, directives, this.#errand.now());
    return isConfirmed ? this.#fromPlaces(expectedBy(learned, false), null) : this.#afterConfirmation(learned);
  }

  /** By what the list of mirrors says; null if it says nothing to compare by, or the original has said otherwise. */
  #listed(learned: LearnedOriginal | null): Expected | null {
    const { set } = this.#errand.parts;
    const file = set.listed(this.#errand.request.target);
    if (file?.digest == null) return null;
    const { length, digest } = file;
    if (learned === null) {
      const version = { length, digest, entityTag: null, lastModified: null, coding: '' };
      return { version, learned, isUnconfirmed: false };
    }
    const said = learned.version;
    const isSame =
      learned.status === 200 &&
      said.coding === '' &&
      (length === null || said.length === null || length === said.length) &&
      (said.digest === null || said.digest === digest);
    return isSame
      ? { version: { ...said, digest, length: said.length ?? length }, learned, isUnconfirmed: false }
      : null;
  }

  async #afterConfirmation(learned: LearnedOriginal | null): Promise<IncomingResponse> {
    const [first] = this.#errand.ranked(learned?.version.length ?? null);
    if (first?.place.role === 'primary') return this.#byOriginal(learned, first);
    if (this.#original.looksDown) return this.#byOriginal(learned, first ?? null);
    const confirmed = await this.#original.confirmed(learned, this.#patience);
    if (confirmed.kind === 'said') return this.#fromPlaces(expectedBy(confirmed.learned, false), null);
    if (confirmed.kind === 'failed' && learned !== null && mayStandIn(learned)) {
      return this.#standIn(learned, confirmed.failed);
    }
    return this.#byOriginal(learned, first ?? null);
  }

  /** As the original answers; only if it cannot, by what it answered before. */
  async #byOriginal(learned: LearnedOriginal | null, ranked: RankedPlace | null): Promise<IncomingResponse> {
    const standIn = learned !== null && mayStandIn(learned) ? learned : null;
    if (standIn !== null && this.#original.looksDown) return this.#standIn(standIn, notAsked);
    const outcome = await this.#original.answer(standIn === null ? null : this.#patience, ranked?.score ?? null);
    if (outcome.kind === 'answer') return outcome.response;
    return standIn === null ? this.#original.last(outcome) : this.#standIn(standIn, outcome);
  }

  /** The original cannot be asked. */
  async #standIn(learned: LearnedOriginal, failed: OriginalFailed): Promise<IncomingResponse> {
    const { request } = this.#errand;
    const isAnswered = learned.status !== 200 || request.method === 'HEAD' || isConditional(request.fields);
    if (!isAnswered) return this.#fromPlaces(expectedBy(learned, true), failed);
    const answer = withoutContent(learned, request, this.#errand.now());
    if (answer.status === 200 && request.method === 'GET') return this.#fromPlaces(expectedBy(learned, true), failed);
    failed.drop();
    return { ...answer, answeredBy: this.#errand.answeredByMemory() };
  }

  /** @param failed the original, if it was asked already */
  async #fromPlaces(expected: Expected, failed: OriginalFailed | null): Promise<IncomingResponse> {
    if (expected.learned !== null && expected.learned.status !== 200) return this.#byOriginal(expected.learned, null);
    let original = failed;
    let left = this.#errand.parts.settings.attempts;
    for (const { place, score } of this.#errand.ranked(expected.version.length)) {
      if (place.role === 'mirror') {
        const answer = left > 0 ? await this.#fromMirror(place, score, expected) : null;
        if (answer === 'unsatisfiable') break;
        if (answer !== null && answer !== 'not asked') {
          original?.drop();
          return answer;
        }
        if (answer === null) left--;
      } else if (original === null) {
        const outcome = await this.#original.answer(this.#patience, score);
        if (outcome.kind === 'answer') return outcome.response;
        original = outcome;
      }
    }
    return this.#original.last(original);
  }

  /** Null if it has nothing of use. */
  async #fromMirror(
    place: RankedPlace['place'],
    score: number | null,
    expected: Expected,
  ): Promise<IncomingResponse | 'not asked' | 'unsatisfiable' | null> {
    const errand = this.#errand;
    const { version, learned } = expected;
    const known = { fields: errand.request.fields, learned, now: errand.now() };
    const range = version.length === null ? null : wantedRange(known, version.length);
    if (version.length !== null && range === null) return 'unsatisfiable';
    const isPart = range !== null && !(range.from === 0 && range.to === version.length);
    const marked = errand.unusable(place, version, isPart);
    if (marked !== null) {
      errand.skip(place, marked, 'known');
      return 'not asked';
    }
    const fields = fieldsForBytes(errand.request.fields, isPart ? range : null, version.coding);
    const answer = await errand.ask(place, fields, { patience: this.#patience });
    if (hasFailed(answer)) {
      if ('response' in answer) answer.response.body?.cancel();
      if ('response' in answer) errand.skip(place, `status ${answer.response.status}`, 'status');
      return null;
    }
    return this.#taken(answer as PlaceAnswer, score, expected, range);
  }

  async #taken(
    answer: PlaceAnswer,
    score: number | null,
    { version, learned, isUnconfirmed }: Expected,
    range: WantedBytes['range'] | null,
  ): Promise<IncomingResponse | null> {
    const errand = this.#errand;
    const { place, response, attempt } = answer;
    const length = version.length ?? versionIn(response, 'GET', errand.now()).length;
    const wanted = length === null ? null : { version: { ...version, length }, length, range: range ?? allOf(length) };
    const isPart = wanted !== null && !isWhole(wanted);
    const unfit = wanted === null ? 'no length' : unfitFor(wanted, wanted, answer, errand);
    if (wanted === null || unfit !== null || response.body === null) {
      attempt.abandoned();
      response.body?.cancel();
      errand.refuse(place, version, unfit ?? 'no content', isPart);
      return null;
    }
    const body = await this.#checked(contentOf({ place, body: response.body, attempt }, wanted, errand), wanted);
    if (body === null) return null;
    errand.isUsable(place, isPart);
    const { digest } = version;
    const rebuilt =
      learned === null && digest !== null
        ? listedAnswer(response.fields, digest, wanted, body)
        : rebuiltAnswer(learned as LearnedOriginal, wanted, body, errand.now());
    return { ...rebuilt, answeredBy: errand.answeredBy(place, score, isUnconfirmed) };
  }

  /** What is small, and has a digest, is known to be right before anything of it goes on; null if it is not. */
  async #checked(body: Body, wanted: WantedBytes): Promise<Body | null> {
    if (wanted.version.digest === null || !isWhole(wanted) || wanted.length > comparedAtOnce) return body;
    try {
      return BufferedBody.from(await readAll(body, comparedAtOnce));
    } catch (error) {
      if (this.#errand.options.cancellation.cancelled) throw asWillisError(error);
      return null;
    }
  }

  get #patience(): Milliseconds {
    return this.#errand.parts.settings.patience;
  }
}

/** Whether mirrors can be compared with it, or it says that there is nothing. */
const isOfUse = (known: Expected | LearnedOriginal): boolean =>
  ('status' in known && known.status !== 200) || known.version.digest !== null || isComparable(known.version);

const allOf = (length: WantedBytes['length']): WantedBytes['range'] => ({ from: bytes(0), to: length });

const expectedBy = (learned: LearnedOriginal, isUnconfirmed: boolean): Expected => ({
  version: learned.version,
  learned,
  isUnconfirmed,
});
