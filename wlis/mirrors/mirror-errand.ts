import type { Bytes, EpochMs, Milliseconds } from '../../config/units.js';
import type { FreshnessPolicy } from '../../proxy/cache/freshness.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import type { Clock } from '../../proxy/base/clock.js';
import { asWillisError, type WillisError } from '../../proxy/base/errors.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { AnsweredBy } from '../../proxy/forward/answered-by.js';
import type { ForwardOptions, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import type { Fields } from '../../proxy/http/fields.js';
import { hrefOf } from '../../proxy/http/target-uri.js';
import type { ChoicePolicy, NodeHealth, Skipped } from '../choice/choice.js';
import type { ForcedChoice } from '../choice/choice-rules.js';
import type { Attempts } from '../health/attempts.js';
import { askPlace, failureOf, isUnwell, requestTo, type PlaceAnswer } from './ask-place.js';
import type { DocumentVersion } from './document-version.js';
import type { LearnedOriginals } from './learned-originals.js';
import type { MirrorCounts } from './mirror-counts.js';
import { placeHref, type MirrorPlace, type MirrorSet } from './mirror-set.js';
import { rankPlaces, type RankedPlace } from './ranked-places.js';
import type { MirrorTrials } from './mirror-trials.js';
import type { UnusablePlaces } from './unusable-places.js';

/** What the configuration says of mirrors. */
export interface MirrorSettings {
  readonly sets: readonly MirrorSet[];
  /** Most mirrors that are asked for one request, beside the original. */
  readonly attempts: number;
  readonly patience: Milliseconds;
  readonly freshness: FreshnessPolicy;
}

/** What lives through all changes of the configuration. */
export interface MirrorGround {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly attempts: Attempts;
  readonly health: { of(url: string): NodeHealth };
  /** How one of several is chosen now. */
  readonly chooser: { readonly policy: ChoicePolicy; ruleFor(uri: string): ForcedChoice | null };
  readonly chance: () => number;
  readonly learned: LearnedOriginals;
  readonly unusable: UnusablePlaces;
  readonly trials: MirrorTrials;
  readonly counts: MirrorCounts;
}

export interface ErrandParts {
  readonly ground: MirrorGround;
  readonly settings: MirrorSettings;
  readonly upstream: Upstream;
  readonly set: MirrorSet;
}

export interface Asking {
  /** How long the head of the answer may take; null: as long as the upstream allows. */
  readonly patience: Milliseconds | null;
  /** By default those of the request. */
  readonly method?: string;
  readonly cancellation?: Cancellation;
}

/** One request on its way to those who have what it asks for. */
export class MirrorErrand {
  /** Passed over so far, and why. */
  readonly skipped: Skipped[] = [];
  readonly #asked = new Set<string>();
  readonly places: readonly MirrorPlace[];

  constructor(
    readonly request: OutgoingRequest,
    readonly options: ForwardOptions,
    readonly parts: ErrandParts,
  ) {
    this.places = parts.set.placesOf(request.target);
  }

  get original(): MirrorPlace {
    return this.places[0] as MirrorPlace;
  }

  get uri(): string {
    return hrefOf(this.request.target);
  }

  now(): EpochMs {
    return this.parts.ground.clock.now();
  }

  /** All places in the order in which they are to be tried. */
  ranked(size: Bytes | null): readonly RankedPlace[] {
    const { ground } = this.parts;
    const { target, client = '', from } = this.request;
    const { ranked, skipped } = rankPlaces(this.places, {
      ...{ target, size, client, from },
      now: ground.clock.monotonic(),
      policy: ground.chooser.policy,
      chance: ground.chance,
      health: (url) => ground.health.of(url),
      rule: ground.chooser.ruleFor(this.uri),
    });
    for (const { url, because } of skipped) this.#tell(url, because);
    return ranked;
  }

  /**
   * Asks a place. What is not its own failure, but that of the client or of a rule of this node, is thrown.
   * @throws WillisError
   */
  async ask(place: MirrorPlace, fields: Fields, how: Asking): Promise<PlaceAnswer | WillisError> {
    const { ground, upstream } = this.parts;
    this.#asked.add(place.url);
    const { cancellation = this.options.cancellation, patience, method = this.request.method } = how;
    const { onInformational } = this.options;
    try {
      return await askPlace(place, requestTo(place, { ...this.request, method }, fields), {
        ...{ cancellation, upstream, patience, attempts: ground.attempts },
        ...(onInformational && place.role === 'primary' && { onInformational }),
      });
    } catch (error) {
      const failure = asWillisError(error);
      if (cancellation.cancelled) throw failure;
      if (place.role === 'primary' && failure.kind.fault !== 'upstream') throw failure;
      this.skip(place, failureOf(failure.code) ?? failure.code);
      return failure;
    }
  }

  /** Why a mirror need not be asked for that version; null if it is to be asked. */
  unusable(place: MirrorPlace, version: DocumentVersion | null, isPart: boolean): string | null {
    const { unusable, clock } = this.parts.ground;
    const [href, now] = [placeHref(place), clock.monotonic()];
    return unusable.reason(href, version, now) ?? (isPart ? unusable.reason(partOf(href), version, now) : null);
  }

  /** A mirror has no usable copy of that version, for the time being. @param isPart what it has of it in part was asked for */
  refuse(place: MirrorPlace, version: DocumentVersion | null, because: string, isPart: boolean): void {
    const { unusable, clock, logger } = this.parts.ground;
    const href = placeHref(place);
    unusable.mark(isPart ? partOf(href) : href, version, because, clock.monotonic());
    this.skip(place, because, 'unequal');
    logger.debug({ code: 'mirror-unusable', mirror: href, reason: because }, 'a mirror is passed over');
  }

  isUsable(place: MirrorPlace, isPart: boolean): void {
    const href = placeHref(place);
    this.parts.ground.unusable.clear(isPart ? partOf(href) : href);
  }

  /** Whether the original lately had nothing that mirrors could be compared with, so that it need not be asked for it. */
  get isIncomparable(): boolean {
    const { unusable, clock } = this.parts.ground;
    return unusable.reason(this.uri, null, clock.monotonic()) !== null;
  }

  incomparable(): void {
    const { unusable, clock } = this.parts.ground;
    unusable.mark(this.uri, null, 'nothing to compare by', clock.monotonic());
  }

  /** @param reason one of few words, for the metrics */
  skip({ url, role }: MirrorPlace, because: string, reason = because): void {
    if (role === 'mirror') this.parts.ground.counts.passedOver.of(reason).add();
    this.#tell(url, because);
  }

  answeredBy({ url, role }: MirrorPlace, score: number | null, isUnconfirmed = false): AnsweredBy {
    this.parts.ground.counts.answers.of(role === 'primary' ? 'original' : 'mirror').add();
    const skipped = this.skipped.filter((one) => one.url !== url);
    return { url, role, score, skipped, isUnconfirmed };
  }

  /** The original cannot be asked, and what it said before is all that it takes. */
  answeredByMemory(): AnsweredBy {
    this.parts.ground.counts.answers.of('memory').add();
    const { url, role } = this.original;
    return { url, role, score: null, skipped: this.skipped, isUnconfirmed: true };
  }

  /** The failure, with all the places that were tried and that were not, if it is one of theirs. */
  told(failure: WillisError): WillisError {
    if (failure.kind.fault !== 'upstream') return failure;
    const reasons = new Map(this.skipped.map(({ url, because }) => [url, because]));
    const urls = [...new Set([...reasons.keys(), ...this.places.map(({ url }) => url)])];
    const [tried, left] = [urls.filter((url) => this.#asked.has(url)), urls.filter((url) => !this.#asked.has(url))];
    return failure.with({
      alternatives: {
        tried: tried.map((url) => ({ url, because: reasons.get(url) ?? failure.kind.title })),
        left: left.map((url) => ({ url, because: reasons.get(url) ?? null })),
      },
    });
  }

  /** Somebody sent what cannot be true. */
  blame(senders: readonly MirrorPlace[], version: DocumentVersion | null): void {
    const { logger } = this.parts.ground;
    for (const place of senders) {
      if (place.role === 'primary') continue;
      this.parts.ground.counts.passedOver.of('false').add();
      this.refuse(place, version, 'false content', false);
      const fields = { code: 'mirror-false', mirror: placeHref(place), uri: this.uri };
      logger.warn(fields, 'a mirror sent other bytes than those of the digest');
    }
  }

  #tell(url: string, because: string): void {
    if (!this.skipped.some((one) => one.url === url)) this.skipped.push({ url, because });
  }
}

/** No URL of a document has a fragment. */
const partOf = (href: string): string => `${href}#part`;

/** Whether an answer, or a failure, leaves the question open. */
export const hasFailed = (answer: PlaceAnswer | WillisError): boolean =>
  !('response' in answer) || isUnwell(answer.response.status);
