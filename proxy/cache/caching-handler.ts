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
import type { CacheRules } from './cache-rules.js';
import { cacheKeyOf, type CacheKey } from './cache-key.js';
import { Collapse } from './collapse.js';
import { complete } from './completion.js';
import { detachedFrom } from './detached-visit.js';
import { Fetching } from './fetching.js';
import { release, validatedAs, type ForwardResult } from './forward-result.js';
import type { FreshnessPolicy } from './freshness.js';
import { plan, planWithoutStored, type Plan } from './plan.js';
import type { ResponseStore } from './response-store.js';
import { decideReuse } from './reuse.js';
import { Storing } from './storing.js';
import type { StoredResponse } from './stored-response.js';
import { passThrough } from './unsafe.js';
import { selects, selectStored } from './vary.js';
import type { Route, Visit } from './visit.js';

export interface CachingOptions extends CachingSettings {
  readonly store: ResponseStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What can be changed while requests are under way. */
export interface CachingSettings {
  /** This cache's name in `Cache-Status`. */
  readonly name: string;
  /** This node's member of `Via` for a message received in that version. */
  readonly via: (version: string) => string;
  readonly freshness: FreshnessPolicy;
  readonly rules: CacheRules;
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
  readonly #collapse: Collapse<ForwardResult>;
  #storing!: Storing;
  #fetching!: Fetching;
  #answering!: Answering;
  #rules!: CacheRules;

  constructor(options: CachingOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#collapse = new Collapse(options.clock, options.collapseWait);
    this.configure(options);
  }

  /** What holds from now on. What is stored keeps its lifetime, and forwards under way go on. */
  configure({ name, via, freshness, rules, collapseWait }: CachingSettings): void {
    this.#rules = rules;
    this.#storing = new Storing(this.#store, freshness);
    this.#fetching = new Fetching(this.#store, this.#storing, this.#clock, via);
    this.#answering = new Answering(this.#store, this.#clock, name);
    this.#collapse.maxWait = collapseWait;
  }

  /** @throws WillisError (or rejects with one) if there is no answer */
  handle(request: Request, route: Route): Response | Promise<Response> {
    const key = cacheKeyOf(request.target, route.scope);
    const rule = this.#rules.governing(request.target);
    const visit: Visit = { request, route, key, directives: parseRequestDirectives(request.fields), rule };
    const early = planWithoutStored(request, visit.directives, rule);
    if (early !== null) return this.#act(visit, early, none);
    const stored = this.#store.lookUp(key);
    return stored instanceof Promise ? stored.then((found) => this.#decide(visit, found)) : this.#decide(visit, stored);
  }

  #decide(visit: Visit, candidates: readonly StoredResponse[]): Response | Promise<Response> {
    return this.#act(visit, plan(visit.request, visit.directives, candidates, this.#clock.now()), candidates);
  }

  /** @throws WillisError 504 where the client wants nothing but a stored answer (RFC 9111 §5.2.1.7) */
  #act(visit: Visit, chosen: Plan, candidates: readonly StoredResponse[]): Response | Promise<Response> {
    switch (chosen.kind) {
      case 'hit':
        return this.#answering.hit(visit.request, chosen.stored, chosen.why === 'fresh' ? null : chosen.why);
      case 'hit-and-validate':
        this.#validateBehind(visit, chosen.stored, candidates);
        return this.#answering.hit(visit.request, chosen.stored, chosen.why);
      case 'complete':
        return this.#complete(visit, chosen.stored, chosen.reason, candidates);
      case 'validate':
        return this.#together(visit, chosen.reason, chosen.collapse, (signal) =>
          this.#fetching.validate(visit, chosen.stored, candidates, chosen.why, signal),
        );
      case 'fetch':
        return this.#together(visit, chosen.reason, chosen.collapse, (signal) =>
          this.#fetching.fetch(visit, candidates, signal),
        );
      case 'bypass':
        return this.#pass(visit, chosen.reason);
      case 'refuse':
        throw new WillisError('not-cached', 'no stored response may be used for this');
    }
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

  async #complete(
    visit: Visit,
    selected: StoredResponse,
    reason: Reason,
    candidates: readonly StoredResponse[],
  ): Promise<Response> {
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
        return this.#answering.forwarded(request, completion.result, reason, false);
      case 'impossible':
        return this.#together(visit, reason, false, (signal) => this.#fetching.fetch(visit, candidates, signal));
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
}

const none: readonly StoredResponse[] = [];
const noDirectives = parseRequestDirectives(Fields.none);

/** The transfer that others may join while it lasts. */
const transferOf = (result: ForwardResult): Promise<unknown> | null =>
  result.kind === 'storing' ? result.representation.ended : null;

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
