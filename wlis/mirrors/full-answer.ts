import type { Milliseconds } from '../../config/units.js';
import type { IncomingResponse } from '../../proxy/forward/upstream.js';
import { BufferedBody } from '../../proxy/http/body.js';
import type { PlaceAnswer } from './ask-place.js';
import { hasFailed, type MirrorErrand } from './mirror-errand.js';
import { contentOf } from './mirrored-content.js';
import type { MirrorPlace } from './mirror-set.js';
import { ObservedBody } from './observed-body.js';
import { OriginalsWord, wantedBy, type OriginalFailed } from './originals-word.js';
import { fieldsForMirror, fieldsOfMirror, isConditional } from './sent-to-mirrors.js';

/**
 * An answer to one request for a document whose mirrors are trusted as the original is: that of the first place, in the
 * order of the choice, that has the document. That it is not there counts if the original says so; or a mirror, if the
 * original cannot be asked and no other mirror has it.
 */
export class FullAnswer {
  readonly #errand: MirrorErrand;
  readonly #original: OriginalsWord;

  constructor(errand: MirrorErrand) {
    this.#errand = errand;
    this.#original = new OriginalsWord(errand);
  }

  /** @throws WillisError */
  async give(): Promise<IncomingResponse> {
    let failed: OriginalFailed | null = null;
    let absent: IncomingResponse | null = null;
    let left = this.#errand.parts.settings.attempts;
    for (const { place, score } of this.#errand.ranked(null)) {
      if (place.role === 'primary') {
        const outcome = await this.#original.answer(this.#patience, score);
        if (outcome.kind === 'answer') return outcome.response;
        failed = outcome;
      } else if (left-- > 0) {
        const answer = await this.#fromMirror(place, score);
        if (answer?.status === 404 || answer?.status === 410) absent = answer;
        else if (answer !== null) {
          failed?.drop();
          return answer;
        }
      }
    }
    if (failed === null || absent === null) return this.#original.last(failed);
    failed.drop();
    return absent;
  }

  /** Null if it is of no use; 404 and 410 are without their content. */
  async #fromMirror(place: MirrorPlace, score: number | null): Promise<IncomingResponse | null> {
    const errand = this.#errand;
    const answer = await errand.ask(place, fieldsForMirror(errand.request.fields), { patience: this.#patience });
    if (hasFailed(answer)) {
      if ('response' in answer) answer.response.body?.cancel();
      if ('response' in answer) errand.skip(place, `status ${answer.response.status}`, 'status');
      return null;
    }
    return this.#taken(answer as PlaceAnswer, score);
  }

  #taken(answer: PlaceAnswer, score: number | null): IncomingResponse | null {
    const errand = this.#errand;
    const { place, response, attempt } = answer;
    const { status, body } = response;
    const fields = fieldsOfMirror(response.fields);
    if (!this.#isUsable(status)) {
      attempt.abandoned();
      body?.cancel();
      errand.skip(place, `status ${status}`, 'status');
      if (status !== 404 && status !== 410) return null;
      const answeredBy = { url: place.url, role: place.role, score, skipped: errand.skipped, isUnconfirmed: false };
      const empty = fields.without('content-length', 'content-type', 'content-encoding').plus('Content-Length', '0');
      return { ...response, fields: empty, body: body === null ? null : BufferedBody.from(''), answeredBy };
    }
    return { ...response, fields, body: this.#content(answer), answeredBy: errand.answeredBy(place, score) };
  }

  #isUsable(status: number): boolean {
    const { fields } = this.#errand.request;
    return status === 200 || (status === 206 && fields.has('range')) || (status === 304 && isConditional(fields));
  }

  #content({ place, response, attempt }: PlaceAnswer): IncomingResponse['body'] {
    const { body } = response;
    if (body === null) {
      attempt.done();
      return null;
    }
    const wanted = wantedBy(response, this.#errand);
    if (wanted === null) return new ObservedBody(body, attempt);
    return contentOf({ place, body, attempt }, wanted, this.#errand);
  }

  get #patience(): Milliseconds {
    return this.#errand.parts.settings.patience;
  }
}
