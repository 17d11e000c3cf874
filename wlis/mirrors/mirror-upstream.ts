import { asWillisError, WillisError } from '../../proxy/base/errors.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import { isSafeMethod } from '../../proxy/http/methods.js';
import { hrefOf } from '../../proxy/http/target-uri.js';
import { ComparedAnswer } from './compared-answer.js';
import { FullAnswer } from './full-answer.js';
import { MirrorErrand, type MirrorSettings, type MirrorGround } from './mirror-errand.js';
import { mirrorSetFor } from './mirror-set.js';
import { isForMirrors } from './sent-to-mirrors.js';

/**
 * An upstream that has some documents from mirrors too: from ordinary servers that have copies, under other paths perhaps,
 * and know nothing of each other. What has no mirrors, or is for the original alone, is forwarded as it is.
 */
export class MirrorUpstream implements Upstream {
  constructor(
    private readonly upstream: Upstream,
    private readonly ground: MirrorGround,
    private readonly settings: MirrorSettings,
  ) {}

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const { upstream, ground, settings } = this;
    const set = mirrorSetFor(settings.sets, request.target);
    if (set === null) return upstream.forward(request, options);
    if (!isForMirrors(request)) return this.#passedOn(request, options);
    const errand = new MirrorErrand(request, options, { ground, settings, upstream, set });
    ground.trials.consider(errand.places, request, { upstream, patience: settings.patience });
    try {
      const answer = set.trust === 'full' ? new FullAnswer(errand).give() : new ComparedAnswer(errand).give();
      return ofChosen(await answer, request.from);
    } catch (error) {
      throw errand.told(asWillisError(error));
    }
  }

  /** The upstream that is around belongs to another. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What changes a document makes what was learned of it worthless. */
  async #passedOn(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const response = await this.upstream.forward(request, options);
    if (!isSafeMethod(request.method) && response.status < 400) this.ground.learned.forget(hrefOf(request.target));
    return response;
  }
}

/**
 * Nobody else stands in for the one that the reader has chosen, though the original may say that something is not there, or has
 * not changed. @throws WillisError chosen-failed
 */
function ofChosen(answer: IncomingResponse, from: string | undefined): IncomingResponse {
  const { status, answeredBy, body } = answer;
  const isContent = body !== null && (status === 200 || status === 206);
  const isMeant = answeredBy === undefined || (from === 'primary' ? answeredBy.role === from : answeredBy.url === from);
  if (from === undefined || isMeant || !isContent) return answer;
  body.cancel();
  throw new WillisError('chosen-failed', `${from} was chosen, and has nothing that is known to be the same`);
}
