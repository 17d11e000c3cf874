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
    return set.trust === 'full' ? new FullAnswer(errand).give() : new ComparedAnswer(errand).give();
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
