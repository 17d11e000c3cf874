import type { Cancellation } from '../base/cancellation.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import { Fields } from '../http/fields.js';
import { supersedes, type ForwardResult } from './forward-result.js';
import { forward, type ForwardingOptions, type ReceivedResponse } from './receive-response.js';
import { isOverridden } from './overridden-request.js';
import type { Generation, ResponseStore } from './response-store.js';
import { offeredCopy } from './offered-copy.js';
import { isRequestReason, mayServeStaleOnFailure, type ValidateReason, type ValidationFailure } from './reuse.js';
import type { Storing, StoringOutcome } from './storing.js';
import type { StoredResponse } from './stored-response.js';
import { Validating } from './validating.js';
import { conditionalFields, isForClient, type Validation } from './validation.js';
import type { Visit } from './visit.js';
import { heldFor, wantedOf } from './wanted.js';

/** Forwards a request, and takes in what comes back: stores it, freshens with it, or lets a stale response stand in. */
export class Fetching {
  readonly #validating: Validating;

  constructor(
    private readonly store: ResponseStore,
    private readonly storing: Storing,
    private readonly clock: Clock,
    private readonly via: ForwardingOptions['via'],
  ) {
    this.#validating = new Validating(store, storing);
  }

  /** Sends a request with those fields. Errors as `forward`. */
  send(visit: Visit, fields: Fields, cancellation: Cancellation): Promise<ReceivedResponse> {
    return forward(visit, { fields, cancellation, via: this.via, clock: this.clock });
  }

  /** Forwards the request as it is. Errors as `forward`. */
  async fetch(visit: Visit, candidates: readonly StoredResponse[], cancellation: Cancellation): Promise<ForwardResult> {
    const generation = this.store.generation();
    const received = await this.send(visit, visit.route.outgoing().fields, cancellation);
    return this.#takeIn(visit, received, candidates, generation);
  }

  /**
   * Sends a conditional request for the selected stored response, or, where the request selects none, for all that are
   * stored under its key, and takes in what it brings (RFC 9111 §4.3). Errors as `forward`, unless the stored response
   * may stand in.
   */
  async validate(
    visit: Visit,
    selected: StoredResponse | null,
    candidates: readonly StoredResponse[],
    why: ValidateReason,
    cancellation: Cancellation,
  ): Promise<ForwardResult> {
    // what comes of it is about something else than what is stored
    if (isAboutSomethingElse(visit)) return this.fetch(visit, [], cancellation);
    const generation = this.store.generation();
    const wanted = selected === null ? null : wantedOf(selected, visit.request, this.clock.now());
    const { fields } = visit.route.outgoing();
    const sent = conditionalFields(fields, candidates, selected, wanted === 'several' ? null : wanted);
    let received: ReceivedResponse;
    try {
      received = await this.send(visit, sent, cancellation);
    } catch (error) {
      const failure = asWillisError(error);
      if (failure.kind.fault !== 'upstream') throw failure;
      if (!this.#mayStandIn(visit, selected, why, 'unreachable')) throw this.#offering(failure, visit, selected, why);
      return { kind: 'stale', stored: selected, detail: failure.code, status: null };
    }
    if (isServerError(received.status) && this.#mayStandIn(visit, selected, why, 'server-error')) {
      received.body?.cancel();
      return { kind: 'stale', stored: selected, detail: 'stale-if-error', status: received.status };
    }
    if (received.status === 304) {
      const validation = { request: visit.request.fields, sent, validated: selected };
      return this.#notModified(visit, received, validation, candidates, generation, cancellation);
    }
    const taken = this.#takeIn(visit, received, candidates, generation);
    const result = taken instanceof Promise ? await taken : taken;
    if (selected !== null && visit.request.method === 'GET' && supersedes(result)) await this.store.remove(selected);
    return result;
  }

  /** A 304: to our own question, to the client's, or to nobody's. */
  async #notModified(
    visit: Visit,
    received: ReceivedResponse,
    validation: Validation,
    candidates: readonly StoredResponse[],
    generation: Generation,
    cancellation: Cancellation,
  ): Promise<ForwardResult> {
    const validated = await this.#validating.freshen(visit, received, validation, candidates, generation);
    if (validated !== null) return { ...validated, answeredBy: received.answeredBy };
    if (isForClient(received.fields, validation)) return { kind: 'not-stored', received, reason: 'not-modified' };
    const unconditional = visit.route.outgoing().fields.without('if-none-match', 'if-modified-since');
    return this.#takeIn(visit, await this.send(visit, unconditional, cancellation), candidates, generation);
  }

  /** @throws WillisError `upstream-malformed` for a 304 to a request without a condition (RFC 9110 §15.4.5) */
  #takeIn(
    visit: Visit,
    received: ReceivedResponse,
    candidates: readonly StoredResponse[],
    generation: Generation,
  ): ForwardResult | Promise<ForwardResult> {
    if (received.status === 304 && !isConditional(received.sent)) {
      throw new WillisError('upstream-malformed', '304 to a request without a condition');
    }
    const store = (): ForwardResult =>
      withReceived(this.storing.begin(visit, received, candidates, generation), received);
    if (visit.request.method !== 'HEAD' || isAboutSomethingElse(visit)) return store();
    return this.#validating.learnFromHead(visit, received, candidates, generation).then(store);
  }

  /** The failure, with the copy that the client would have had if it had not insisted on a newer one. */
  #offering(failure: WillisError, { request }: Visit, stored: StoredResponse | null, why: ValidateReason): WillisError {
    const now = this.clock.now();
    if (stored === null || !isRequestReason(why) || !heldFor(stored, request, now)) return failure;
    const copy = offeredCopy(stored, now);
    return copy === null ? failure : failure.with({ copy });
  }

  #mayStandIn(
    visit: Visit,
    stored: StoredResponse | null,
    why: ValidateReason,
    failure: ValidationFailure,
  ): stored is StoredResponse {
    if (stored === null) return false;
    const now = this.clock.now();
    return heldFor(stored, visit.request, now) && mayServeStaleOnFailure(stored, why, visit.directives, failure, now);
  }
}

/** As a result for the one who asked. */
const withReceived = (outcome: StoringOutcome, received: ReceivedResponse): ForwardResult =>
  outcome.kind === 'storing'
    ? { kind: 'storing', received, representation: outcome.representation }
    : { kind: 'not-stored', received, reason: outcome.reason };

const isConditional = (sent: Fields): boolean => sent.has('if-none-match') || sent.has('if-modified-since');

/** The errors for which `stale-if-error` stands in (RFC 5861 §4). */
const isServerError = (status: number): boolean => status === 500 || status === 502 || status === 503 || status === 504;

const isAboutSomethingElse = ({ request, route }: Visit): boolean =>
  isOverridden(route.outgoing().fields, request, route.actsForOrigin, Fields.none);
