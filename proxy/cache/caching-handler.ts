import type { Milliseconds } from '../../config/units.js';
import { bytes } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Fields } from '../http/fields.js';
import type { Request, Response } from '../http/message.js';
import { hrefOf } from '../http/target-uri.js';
import { Answering, type Reason } from './answering.js';
import { parseRequestDirectives } from './cache-control.js';
import { cacheKeyOf, type CacheKey } from './cache-key.js';
import { Collapse } from './collapse.js';
import { complete, heldFor } from './completion.js';
import { detachedFrom } from './detached-visit.js';
import { Fetching } from './fetching.js';
import { release, validatedAs, type ForwardResult } from './forward-result.js';
import type { FreshnessPolicy } from './freshness.js';
import type { ResponseStore } from './response-store.js';
import { decideReuse, isRequestReason, type ValidateReason } from './reuse.js';
import { Storing } from './storing.js';
import type { StoredResponse } from './stored-response.js';
import { passThrough } from './unsafe.js';
import { selects, selectStored } from './vary.js';
import type { Route, Visit } from './visit.js';

export interface CachingOptions {
  readonly store: ResponseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This cache's name in `Cache-Status`. */
  readonly name: string;
  /** This node's member of `Via` for a message received in that version. */
  readonly via: (version: string) => string;
  readonly freshness: FreshnessPolicy;
  /** How long a request waits for another one's forward. */
  readonly collapseWait: Milliseconds;
}

type Start = (signal: AbortSignal) => Promise<ForwardResult>;

/**
 * The line that every request walks: select → decide → reuse | reuse and validate | validate | forward (RFC 9111 §4).
 * A hit from memory is answered in the same turn.
 */
export class CachingHandler {
  readonly #store: ResponseStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #storing: Storing;
  readonly #fetching: Fetching;
  readonly #answering: Answering;
  readonly #collapse: Collapse<ForwardResult>;

  constructor(options: CachingOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#storing = new Storing(options.store, options.freshness);
    this.#fetching = new Fetching(options.store, this.#storing, options.clock, options.via);
    this.#answering = new Answering(options.store, options.clock, options.name);
    this.#collapse = new Collapse(options.clock, options.collapseWait);
  }

  /** @throws WillisError (or rejects with one) if there is no answer */
  handle(request: Request, route: Route): Response | Promise<Response> {
    const key = cacheKeyOf(request.target, route.scope);
    const visit: Visit = { request, route, key, directives: parseRequestDirectives(request.fields) };
    const bypass = reasonToBypass(request);
    if (bypass !== null) {
      this.#refuseIfOnlyCached(visit);
      return this.#pass(visit, bypass);
    }
    const stored = this.#store.lookUp(key);
    return stored instanceof Promise ? stored.then((found) => this.#select(visit, found)) : this.#select(visit, stored);
  }

  #select(visit: Visit, candidates: readonly StoredResponse[]): Response | Promise<Response> {
    const { selected, othersExist } = selectStored(candidates, visit.request.fields, this.#clock.now());
    if (selected !== null) return this.#decide(visit, selected, candidates);
    this.#refuseIfOnlyCached(visit);
    const start: Start = othersExist
      ? (signal) => this.#fetching.validate(visit, null, candidates, 'stale', signal)
      : (signal) => this.#fetching.fetch(visit, candidates, signal);
    return this.#together(visit, { fwd: othersExist ? 'vary-miss' : 'uri-miss' }, mayCollapse(visit), start);
  }

  #decide(visit: Visit, selected: StoredResponse, candidates: readonly StoredResponse[]): Response | Promise<Response> {
    const now = this.#clock.now();
    const decision = decideReuse(selected, visit.directives, now);
    const held = selected.complete || heldFor(selected, visit.request, now);
    if (decision.kind !== 'validate' && held) {
      if (decision.kind === 'reuse-and-validate') this.#validateBehind(visit, selected, candidates);
      return this.#answering.hit(visit.request, selected, decision.reason === 'fresh' ? null : decision.reason);
    }
    this.#refuseIfOnlyCached(visit);
    if (!held) return this.#complete(visit, selected, candidates);
    return this.#validate(visit, selected, candidates, decision.kind === 'validate' ? decision.reason : 'stale');
  }

  #validate(
    visit: Visit,
    selected: StoredResponse,
    candidates: readonly StoredResponse[],
    why: ValidateReason,
  ): Promise<Response> {
    const byRequest = isRequestReason(why);
    const reason: Reason = { fwd: byRequest ? 'request' : 'stale', ...(why !== 'stale' && { detail: why }) };
    return this.#together(visit, reason, !byRequest && mayCollapse(visit), (signal) =>
      this.#fetching.validate(visit, selected, candidates, why, signal),
    );
  }

  /** RFC 5861 §3: the client has its answer already. One validation at a time. */
  #validateBehind(visit: Visit, selected: StoredResponse, candidates: readonly StoredResponse[]): void {
    if (this.#collapse.flightOf(visit.key) !== undefined) return;
    const detached = detachedFrom(visit);
    const validate: Start = (signal) => this.#fetching.validate(detached, selected, candidates, 'stale', signal);
    const flight = this.#collapse.begin(visit.key, validate, transferOf);
    flight
      .wait(detached.request.signal)
      .then(readForStore)
      .catch((error: unknown) => {
        const { code, message } = asWillisError(error);
        this.#logger.debug({ code, uri: hrefOf(visit.request.target), reason: message }, 'validation failed');
      });
  }

  async #complete(visit: Visit, selected: StoredResponse, candidates: readonly StoredResponse[]): Promise<Response> {
    const { request } = visit;
    const completion = await complete(visit, selected, {
      store: this.#store,
      storing: this.#storing,
      now: this.#clock.now(),
      generation: this.#store.generation(),
      send: (fields) => untilHead((signal) => this.#fetching.send(visit, fields, signal), request.signal),
    });
    switch (completion.kind) {
      case 'joined':
        return this.#answering.joined(request, completion.representation, completion.stored);
      case 'replaced':
        return this.#answering.forwarded(request, completion.result, { fwd: 'partial' }, false);
      case 'impossible':
        return this.#together(visit, { fwd: 'partial' }, false, (signal) =>
          this.#fetching.fetch(visit, candidates, signal),
        );
    }
  }

  #pass(visit: Visit, reason: Reason): Promise<Response> {
    const parts = {
      store: this.#store,
      fetching: this.#fetching,
      storing: this.#storing,
      answering: this.#answering,
      onInvalidated: (concerns: (key: CacheKey) => boolean) => this.#collapse.forget(concerns),
    };
    return untilHead((signal) => passThrough(visit, reason, { ...parts, signal }), visit.request.signal);
  }

  /**
   * Forwards; or, where that may be, waits for a forward of the same that is under way and uses what it brings. What
   * cannot be shared is forwarded for each who asked, all at once, and known for a while not to be worth waiting for.
   */
  async #together(visit: Visit, reason: Reason, collapse: boolean, start: Start): Promise<Response> {
    const { request, key } = visit;
    if (collapse) {
      const flight = this.#collapse.flightOf(key);
      if (flight !== undefined) {
        const result = await this.#collapse.follow(flight, request.signal);
        const shared = result === null ? null : await this.#share(visit, result, reason);
        if (shared !== null) return shared;
      } else if (this.#collapse.worthwhile(key)) {
        return this.#answering.forwarded(request, await this.#lead(visit, start), reason, false);
      }
    }
    return this.#answering.forwarded(request, await untilHead(start, request.signal), reason, false);
  }

  /** Forwards for oneself and whoever comes meanwhile. */
  async #lead(visit: Visit, start: Start): Promise<ForwardResult> {
    const flight = this.#collapse.begin(visit.key, start, transferOf);
    flight.result.then(
      (result) => this.#learn(visit, result),
      () => undefined,
    );
    try {
      return await flight.wait(visit.request.signal);
    } catch (error) {
      // what is shared goes on for the others; what is for this client alone has lost its reader
      flight.result.then(release, () => undefined);
      throw error;
    }
  }

  #learn(visit: Visit, result: ForwardResult): void {
    if (result.kind === 'stale' || (result.kind === 'not-stored' && passing(result.received.status))) return;
    if (result.kind === 'not-stored' || (result.kind === 'validated' && !result.updated)) {
      this.#collapse.learned(visit.key, false);
      return;
    }
    const metadata = result.kind === 'storing' ? result.representation.metadata : result.stored;
    const { kind } = decideReuse(
      { freshness: metadata.freshness, invalidated: false },
      noDirectives,
      this.#clock.now(),
    );
    this.#collapse.learned(visit.key, kind !== 'validate');
  }

  /** An answer from what another request's forward brought, if this request may have it (RFC 9111 §4). */
  async #share(visit: Visit, result: ForwardResult, reason: Reason): Promise<Response | null> {
    const { request, directives } = visit;
    const now = this.#clock.now();
    if (result.kind === 'not-stored') return null;
    if (result.kind === 'storing' && result.representation.joinable) {
      const { metadata } = result.representation;
      const usable = selects(metadata.selecting, request.fields);
      if (
        !usable ||
        decideReuse({ freshness: metadata.freshness, invalidated: false }, directives, now).kind === 'validate'
      )
        return null;
      return this.#answering.forwarded(request, result, reason, true);
    }
    const { selected } = selectStored(await this.#store.lookUp(visit.key), request.fields, now);
    if (selected?.complete !== true) return null;
    if (result.kind === 'stale' && selected.id === result.stored.id) {
      return this.#answering.forwarded(request, result, reason, true);
    }
    if (decideReuse(selected, directives, now).kind === 'validate') return null;
    return this.#answering.forwarded(request, validatedAs(selected), reason, true);
  }

  /** @throws WillisError 504 when the client wants nothing but a stored answer (RFC 9111 §5.2.1.7) */
  #refuseIfOnlyCached(visit: Visit): void {
    if (visit.directives.onlyIfCached) throw new WillisError('not-cached', 'no stored response may be used for this');
  }
}

const noDirectives = parseRequestDirectives(Fields.none);

/** The transfer that others may join while it lasts. */
const transferOf = (result: ForwardResult): Promise<unknown> | null =>
  result.kind === 'storing' ? result.representation.ended : null;

/** What may not be answered from the store at all. */
function reasonToBypass(request: Request): Reason | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { fwd: 'method' };
  if (request.body !== null && request.body.length !== 0) return { fwd: 'bypass', detail: 'content' };
  // these are for the origin server to judge (RFC 9111 §4.3.2)
  if (request.fields.has('if-match') || request.fields.has('if-unmodified-since')) {
    return { fwd: 'request', detail: 'precondition' };
  }
  return null;
}

/** Whether the answer to a request is likely to serve others, and theirs to serve it. */
function mayCollapse({ request, directives }: Visit): boolean {
  const { fields } = request;
  const ownAffair = ['range', 'authorization', 'if-none-match', 'if-modified-since'].some((name) => fields.has(name));
  return request.method === 'GET' && !ownAffair && !directives.noStore && !directives.noCache;
}

/** Statuses that say nothing about the next answer for the same URI. */
const passing = (status: number): boolean => status === 304 || status === 206 || status === 429 || status >= 500;

/** A forward for one client: given up if it goes before the head has come; from then on the body's reader decides. */
async function untilHead<T>(start: (signal: AbortSignal) => Promise<T>, client: AbortSignal): Promise<T> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort();
  if (client.aborted) giveUp();
  else client.addEventListener('abort', giveUp, { once: true });
  try {
    return await start(controller.signal);
  } finally {
    client.removeEventListener('abort', giveUp);
  }
}

/** Reads on behalf of the store what nobody else will. */
async function readForStore(result: ForwardResult): Promise<void> {
  release(result);
  if (result.kind !== 'storing') return;
  const body = result.representation.open(bytes(0), null);
  while ((await body.read()) !== null);
}
