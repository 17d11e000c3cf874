import { parseResponseDirectives } from './cache-control.js';
import { cacheGroups } from './cache-groups.js';
import { canFreshenFromHead, freshenedFields } from './freshen.js';
import { computeFreshness } from './freshness.js';
import type { ReceivedResponse } from './receive-response.js';
import type { Generation, ResponseStore } from './response-store.js';
import { storedFields } from './storability.js';
import type { Storing } from './storing.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';
import { confirmsOnly, selectFor304, type Validation } from './validation.js';
import { selectingFieldsOf, selects } from './vary.js';
import type { Visit } from './visit.js';

/** Applies what a 304, or the answer to a HEAD request, says of stored responses (RFC 9111 §4.3.4, §4.3.5). */
export class Validating {
  constructor(
    private readonly store: ResponseStore,
    private readonly storing: Storing,
  ) {}

  /**
   * Freshens every stored response that a 304 selects. Gives the one that now answers the request; null if the 304 is
   * about none of them, or it is no longer stored.
   */
  freshen(
    visit: Visit,
    received: ReceivedResponse,
    validation: Validation,
    candidates: readonly StoredResponse[],
    generation: Generation,
  ): StoredResponse | null {
    let answering: StoredResponse | null = null;
    for (const stored of selectFor304(candidates, received.fields, validation)) {
      const freshened = this.store.freshen(stored, this.#updated(visit, stored, received), generation);
      if (stored.id === validation.validated?.id || answering === null) answering = freshened;
    }
    return answering ?? (confirmsOnly(received.fields, validation) ? validation.validated : null);
  }

  /** Freshens what a HEAD response matches and invalidates what it contradicts. */
  learnFromHead(
    visit: Visit,
    received: ReceivedResponse,
    candidates: readonly StoredResponse[],
    generation: Generation,
  ): void {
    if (received.status !== 200) return;
    const selectable = candidates.filter((stored) => selects(stored.selecting, visit.request.fields));
    for (const stored of selectable) {
      if (canFreshenFromHead(stored, received)) {
        this.store.freshen(stored, this.#updated(visit, stored, received), generation);
      } else void this.store.invalidate(visit.key);
    }
  }

  #updated(visit: Visit, stored: StoredResponse, received: ReceivedResponse): ResponseMetadata {
    // what the stored response said of its fields goes on to hold where the new one says nothing
    const merged = freshenedFields(stored.fields, received.fields);
    const directives = parseResponseDirectives(merged);
    const fields = storedFields(merged, directives, received.responseTime, stored.status);
    const age = received.fields.first('age');
    const freshness = computeFreshness({
      status: stored.status,
      fields: age === undefined ? fields : fields.plus('Age', age),
      directives,
      requestTime: received.requestTime,
      responseTime: received.responseTime,
      policy: this.storing.policy,
    });
    const varied = fields.get('vary') !== stored.fields.get('vary');
    const selecting = varied ? selectingFieldsOf(fields, visit.request.fields) : null;
    return {
      key: stored.key,
      status: stored.status,
      reason: stored.reason,
      fields,
      selecting: selecting ?? stored.selecting,
      requestTime: received.requestTime,
      responseTime: received.responseTime,
      freshness,
      groups: cacheGroups(fields),
    };
  }
}
