import type { Milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import type { NodeHealth } from '../choice/choice.js';
import type { Attempts } from '../health/attempts.js';
import { askPlace, isUnwell, requestTo } from './ask-place.js';
import type { MirrorPlace } from './mirror-set.js';
import { fieldsForMirror } from './sent-to-mirrors.js';

export interface MirrorTrialsOptions {
  readonly attempts: Attempts;
  readonly health: { of(url: string): NodeHealth };
}

export interface TrialWay {
  readonly upstream: Upstream;
  readonly patience: Milliseconds;
}

/**
 * Finds out whether servers that failed are well again, when documents that they may have are asked for: by a HEAD beside
 * the request, that nobody waits for, one at a time for each server, and not before its breaker allows it.
 */
export class MirrorTrials {
  readonly #options: MirrorTrialsOptions;
  readonly #running = new Set<string>();
  readonly #over = new Cancellation();

  constructor(options: MirrorTrialsOptions) {
    this.#options = options;
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size;
  }

  consider(places: readonly MirrorPlace[], request: OutgoingRequest, way: TrialWay): void {
    for (const place of places) {
      const { breaker, underWay } = this.#options.health.of(place.url);
      const isDue = breaker === 'probing' && underWay === 0 && !this.#running.has(place.url);
      if (!isDue || this.#running.size >= most || this.#over.cancelled) continue;
      this.#running.add(place.url);
      void this.#try(place, request, way).finally(() => this.#running.delete(place.url));
    }
  }

  /** Ends those under way, and begins none from then on. Idempotent. */
  stop(): void {
    this.#over.cancel(new WillisError('client-gone', 'the node stops'));
  }

  async #try(place: MirrorPlace, request: OutgoingRequest, { upstream, patience }: TrialWay): Promise<void> {
    const fields = fieldsForMirror(request.fields).without('if-none-match', 'if-modified-since', 'if-range', 'range');
    const head = { ...requestTo(place, request, fields), method: 'HEAD', expectContinue: false };
    const { attempts } = this.#options;
    try {
      const answer = await askPlace(place, head, { upstream, attempts, patience, cancellation: this.#over });
      answer.response.body?.cancel();
      if (!isUnwell(answer.response.status)) answer.attempt.done();
    } catch {
      // its health was told of it
    }
  }
}

const most = 8;
