import { bytes } from '../../config/units.js';
import type { Cancellation } from '../base/cancellation.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Fields } from '../http/fields.js';
import type { Request, Response } from '../http/message.js';
import { hrefOf } from '../http/target-uri.js';
import { Answering, type Reason } from './answering.js';
import { parseRequestDirectives } from './cache-control.js';
import type { CacheRules } from './cache-rules.js';
import type { CachingSettings } from './caching-settings.js';
import { cacheKeyOf, type CacheKey, type Scope } from './cache-key.js';
import { Collapse, type Flight } from './collapse.js';
import { complete } from './completion.js';
import { detachedFrom } from './detached-visit.js';
import { explain, type Explanation, type HypotheticalRequest } from './explanation.js';
import { Fetching } from './fetching.js';
import { release, validatedAs, type ForwardResult } from './forward-result.js';
import { plan, planWithoutStored, type Plan } from './plan.js';
import { mayBePurgedBy, type PurgeMode, type PurgeSelector } from './purge.js';
import { isReadable } from './readable.js';
import type { ResponseStore } from './response-store.js';
import { decideReuse } from './reuse.js';
import { Storing } from './storing.js';
import type { StoredResponse } from './stored-response.js';
import { passThrough } from './unsafe.js';
import { selects, selectStored } from './vary.js';
import { concerning, type Route, type Visit } from './visit.js';

export interface CachingOptions extends CachingSettings {
  readonly store: ResponseStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Start = (cancellation: Cancellation) => Promise<ForwardResult>;

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
  #name!: string;

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
    this.#name = name;
    this.#storing = new Storing(this.#store, freshness);
    this.#fetching = new Fetching(this.#store, this.#storing, this.#clock, via);
    this.#answering = new Answering(this.#store, this.#clock, name);
    this.#collapse.maxWait = collapseWait;
  }

  /** Nobody who comes from now on joins a forward under way, for it may go where none is to go any more. */
  forgetFlights(): void {
    this.#collapse.forget(() => true);
  }

  /** @throws WillisError (or rejects with one) if there is no answer */
  handle(request: Request, route: Route): Response | Promise<Response> {
    const key = cacheKeyOf(request.target, route.scope);
    const rule = this.#rules.governing(request.target);
    if (rule !== null) request.record.rule = rule.match;
    const visit: Visit = { request, route, key, directives: parseRequestDirectives(request.fields), rule };
    const early = planWithoutStored(request, visit.directives, rule);
    if (early !== null) return this.#act(visit, early, none);
    const stored = this.#store.lookUp(key);
    return stored instanceof Promise ? stored.then((found) => this.#decide(visit, found)) : this.#decide(visit, stored);
  }

  /**
   * Purges what an operator names. Resolves when this is true for every later request, with the number of stored responses
   * that it concerned.
   */
  purge(selector: PurgeSelector, mode: PurgeMode): Promise<number> {
    // whoever comes from now on does not join what was asked before
    this.#collapse.forget((key) => mayBePurgedBy(selector, key));
    return this.#store.purge(selector, mode, this.#clock.now());
  }

  /** What is stored for a request and what would be done about it, by the same plan; without any effect. */
  async explain(request: HypotheticalRequest, scope: Scope): Promise<Explanation> {
    const key = cacheKeyOf(request.target, scope);
    return explain({
      request,
      key,
      rule: this.#rules.governing(request.target),
      candidates: await this.#store.peek(key),
      underWay: this.#collapse.flightOf(key) !== undefined,
      shareable: this.#collapse.worthwhile(key),
      name: this.#name,
      now: this.#clock.now(),
    });
  }

  #decide(visit: Visit, stored: readonly StoredResponse[]): Response | Promise<Response> {
    const candidates = concerning(visit.route, stored);
    const now = this.#clock.now();
    const chosen = plan(visit.request, visit.directives, candidates, now);
    const readable = isReadable(this.#store, visit.request, chosen, now);
    if (readable === true) return this.#act(visit, chosen, candidates);
    const others = (): StoredResponse[] => candidates.filter((one) => !('stored' in chosen) || one !== chosen.stored);
    return readable.then((is) => (is ? this.#act(visit, chosen, candidates) : this.#decide(visit, others())));
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
        return this.#together(visit, chosen.reason, chosen.collapse, (cancellation) =>
          this.#fetching.validate(visit, chosen.stored, candidates, chosen.why, cancellation),
        );
      case 'fetch':
        return this.#together(visit, chosen.reason, chosen.collapse, (cancellation) =>
          this.#fetching.fetch(visit, candidates, cancellation),
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
    const validate: Start = (cancellation) =>
      this.#fetching.validate(detached, selected, candidates, 'stale', cancellation);
    this.#collapse
      .begin(visit.key, validate, whenOver)
      .wait(detached.request.cancellation)
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
      send: (fields) => this.#fetching.send(visit, fields, request.cancellation),
    });
    switch (completion.kind) {
      case 'joined':
        return this.#answering.joined(request, completion.representation, completion.stored);
      case 'replaced':
        return this.#answering.forwarded(request, completion.result, reason, false);
      case 'impossible':
        return this.#alone(visit, reason, (cancellation) => this.#fetching.fetch(visit, candidates, cancellation));
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
    return passThrough(visit, reason, parts);
  }

  /**
   * Forwards; or, where that may be, waits for a forward of the same that is under way and uses what it brings. What
   * cannot be shared is forwarded for each who asked, all at once, and known for a while not to be worth waiting for.
   */
  #together(visit: Visit, reason: Reason, collapse: boolean, start: Start): Promise<Response> {
    if (!collapse) return this.#alone(visit, reason, start);
    const flight = this.#collapse.flightOf(visit.key);
    if (flight !== undefined) return this.#follow(visit, reason, flight, start);
    return this.#collapse.worthwhile(visit.key) ? this.#lead(visit, reason, start) : this.#alone(visit, reason, start);
  }

  async #alone(visit: Visit, reason: Reason, start: Start): Promise<Response> {
    const { request } = visit;
    return this.#answering.forwarded(request, await start(request.cancellation), reason, false);
  }

  async #follow(visit: Visit, reason: Reason, flight: Flight<ForwardResult>, start: Start): Promise<Response> {
    const { request, route } = visit;
    const result = await this.#collapse.follow(flight, request.cancellation).catch((error: unknown) => {
      // the one that another reader has chosen may fail where this one's does not
      if (route.scope !== 'chosen' || request.cancellation.cancelled) throw error;
      return null;
    });
    const shared = result === null ? null : await this.#share(visit, result, reason);
    return shared ?? this.#alone(visit, reason, start);
  }

  /** Forwards for oneself and whoever comes meanwhile. */
  async #lead(visit: Visit, reason: Reason, start: Start): Promise<Response> {
    const { request, key } = visit;
    const flight = this.#collapse.begin(key, start, (result, over) => {
      this.#learn(visit, result);
      whenOver(result, over);
    });
    // what is shared goes on for the others; what is for this client alone has no reader without it
    const result = await flight.wait(request.cancellation, release);
    return this.#answering.forwarded(request, result, reason, false);
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
    const { selected } = selectStored(
      concerning(visit.route, await this.#store.lookUp(visit.key)),
      request.fields,
      now,
    );
    if (selected?.complete !== true || !(await this.#store.ready(selected, bytes(0), selected.length ?? bytes(0))))
      return null;
    if (result.kind === 'stale' && selected.id === result.stored.id) {
      return this.#answering.forwarded(request, result, reason, true);
    }
    if (decideReuse(selected, directives, now).kind === 'validate') return null;
    return this.#answering.forwarded(request, validatedAs(selected), reason, true);
  }
}

const none: readonly StoredResponse[] = [];
const noDirectives = parseRequestDirectives(Fields.none);

/** A transfer may be joined while it lasts, anything else not at all. */
function whenOver(result: ForwardResult, over: () => void): void {
  if (result.kind === 'storing') result.representation.whenEnded(over);
  else over();
}

/** Statuses that say nothing about the next answer for the same URI. */
const passing = (status: number): boolean => status === 304 || status === 206 || status === 429 || status >= 500;

/** Reads on behalf of the store what nobody else will. */
async function readForStore(result: ForwardResult): Promise<void> {
  release(result);
  if (result.kind !== 'storing') return;
  const body = result.representation.open(bytes(0), null);
  while ((await body.read()) !== null);
}
