import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import type { Clock } from '../../proxy/base/clock.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { AnsweredBy } from '../../proxy/forward/answered-by.js';
import type { IncomingResponse, Upstream } from '../../proxy/forward/upstream.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Choice, Chooser, Ranked } from '../choice/choice.js';
import type { Attempts } from '../health/attempts.js';
import type { Whereabouts } from '../health/positions.js';
import type { SampleTaker } from '../health/served-samples.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { Namespace } from '../namespace.js';
import { digestFrom } from '../trust/digest.js';
import type { Variant } from '../trust/variant.js';
import type { AskedDocument } from './asked-document.js';
import { BlockLists } from './block-lists.js';
import { ContentSources, type OpenSource } from './content-sources.js';
import { documentAnswer } from './document-answer.js';
import { DocumentSearch } from './document-search.js';
import { FailoverMetrics } from './failover-metrics.js';
import type { FailoverParts } from './failover-parts.js';
import type { FailoverSettings } from './failover-settings.js';
import { Floors } from './floors.js';
import { Latencies } from './latencies.js';
import { NodeRequests } from './node-requests.js';
import { Pace } from './pace.js';
import { ProofCheck } from './proof-check.js';
import type { Shown } from './raw-exchange.js';
import { Refusals } from './refusal.js';
import { Strangers } from './strangers.js';
import { preferring, Turn } from './turn.js';
import { VerifiedBody, type VerifiedBodyOptions } from './verified-body.js';

export interface FailoverOptions {
  /** The way to nodes of a namespace, as it is at the time. */
  readonly upstreamFor: (namespace: Namespace) => Upstream;
  readonly chooser: Chooser;
  readonly attempts: Attempts;
  /** Is told of what was served and verified. */
  readonly samples?: SampleTaker;
  /** Is told how far nodes are. */
  readonly positions?: Whereabouts;
  readonly settings: FailoverSettings;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** For proofs, floors and block lists. */
  readonly memory?: Bytes;
}

/**
 * Answers requests for documents of known namespaces from whoever holds them, by their records alone: no byte, field or status
 * goes on that is not proven. What one node does not give the next one does. One for a node, through all its configurations.
 */
export class Failover {
  readonly metrics = new FailoverMetrics();
  readonly #parts: FailoverParts;
  readonly #search: DocumentSearch;
  readonly #samples: SampleTaker | null;
  #settings: FailoverSettings;

  constructor(options: FailoverOptions) {
    const { upstreamFor, chooser, attempts, samples = null, clock, now, logger, memory = usualMemory } = options;
    const { positions = null } = options;
    this.#settings = options.settings;
    this.#samples = samples;
    const latencies = new Latencies();
    this.#parts = {
      ...{ upstreamFor, chooser, attempts, positions, clock, now, logger, latencies },
      requests: new NodeRequests(attempts, clock),
      proofs: new ProofCheck(bytes(memory / 2)),
      floors: new Floors(bytes(memory / 4)),
      lists: new BlockLists(bytes(memory / 4)),
      pace: new Pace(latencies),
      settings: () => this.#settings,
      metrics: this.metrics,
      refusals: new Refusals({ metrics: this.metrics, logger, clock }),
      strangers: new Strangers(clock),
    };
    this.#search = new DocumentSearch(this.#parts);
  }

  /** By the own clock, corrected by what others say of the time. */
  now(): EpochMs {
    return this.#parts.now();
  }

  /** A primary has said how loaded it is, in an answer of its own. */
  loaded({ group: { group } }: KnownNamespace, load: number): void {
    const [url] = group.primary.urls;
    if (url !== undefined) this.#parts.attempts.loaded(url, load);
  }

  get settings(): FailoverSettings {
    return this.#settings;
  }

  /** What holds for requests from now on. */
  configure(settings: FailoverSettings): void {
    this.#settings = settings;
  }

  /**
   * The answer to a GET or HEAD request; null where only the primary knows what there is.
   * @throws WillisError content-unreachable if nobody is left to be asked; or the reason of the cancellation
   */
  async answer(asked: AskedDocument, cancellation: Cancellation): Promise<IncomingResponse | null> {
    const { lists } = this.#parts;
    const size = { known: this.#sizeOf(asked) };
    const turn = new Turn(() => this.#choose(asked, size.known), this.#settings.attempts);
    const shown = await this.#search.find(asked, turn, cancellation);
    if (shown === null) throw nobodyLeft(turn);
    const { proven } = shown.document;
    if (!proven.isThere && isOpen(asked)) {
      shown.raw?.answer.leave();
      return null;
    }
    for (const [index, list] of proven.blockLists) {
      const variant = proven.record?.variants[index];
      if (variant !== undefined) lists.keep(variant, list);
    }
    return this.#answer(asked, turn, this.#better(asked, shown, turn, size), cancellation);
  }

  async #answer(asked: AskedDocument, turn: Turn, shown: Shown, cancellation: Cancellation): Promise<IncomingResponse> {
    const bodies: VerifiedBody[] = [];
    let raw: OpenSource | null = shown.raw && { ...shown.raw, ranked: shown.ranked };
    if (raw === null) turn.reconsider(shown.ranked);
    const sources = new ContentSources(this.#parts, asked, turn);
    // whoever has proven the document is the first to be asked for its block list
    const forLists = new Turn(
      () => preferring(shown.ranked, this.#choose(asked, this.#sizeOf(asked))),
      this.#settings.attempts,
    );
    const listSources = new ContentSources(this.#parts, asked, forLists);
    const open = (variant: Variant, from: Bytes, to: Bytes): VerifiedBody => {
      const body = this.#body(variant, { from, to, first: raw, sources, listSources });
      raw = null;
      bodies.push(body);
      return body;
    };
    const facts = { now: this.#parts.clock.now(), age: shown.age, open };
    const response = documentAnswer(shown.document, asked.request, facts);
    // a condition, a HEAD request or an answer without content needs none of it
    raw?.answer.done();
    const [first] = bodies;
    if (first !== undefined) await this.#begun(first, turn, cancellation);
    if (first !== undefined) this.#sample(asked, shown);
    return { ...response, answeredBy: this.#answeredBy(shown, first?.firstFrom ?? shown.ranked, turn) };
  }

  #body(variant: Variant, about: BodyParts): VerifiedBody {
    const { listSources, ...rest } = about;
    if (variant.blockSize > largestBlock) {
      about.first?.answer.leave();
      throw new WillisError(
        'content-unreachable',
        `its blocks of ${variant.blockSize} bytes are more than is held here`,
      );
    }
    return new VerifiedBody({
      ...rest,
      variant,
      // it goes on for others who wait for it too
      blockList: () => this.#parts.lists.get(variant, () => listSources.blockList(variant, new Cancellation())),
      onContinued: () => this.metrics.continued.add(),
      onBroken: () => this.metrics.broken.add(),
    });
  }

  /** The first block is there before the head of the answer leaves, which then promises nothing that is not to be had. */
  async #begun(body: VerifiedBody, turn: Turn, cancellation: Cancellation): Promise<void> {
    const listener = { onCancelled: (reason: Error) => body.cancel(reason) };
    cancellation.add(listener);
    try {
      await body.ready();
    } catch (error) {
      throw error instanceof WillisError && error.code === 'content-unreachable' ? nobodyLeft(turn) : error;
    } finally {
      cancellation.remove(listener);
    }
    if (cancellation.reason !== null) {
      body.cancel();
      throw cancellation.reason;
    }
  }

  /**
   * How much there is says the record only: for a large content another node may be so much better that it is worth leaving
   * this one.
   */
  #better(asked: AskedDocument, shown: Shown, turn: Turn, size: { known: Bytes | null }): Shown {
    if (size.known !== null || shown.raw === null) return shown;
    size.known = this.#sizeOf(asked);
    if (size.known === null || size.known < large) return shown;
    turn.reconsider();
    const { url } = shown.ranked.candidate;
    const [best] = turn.ranked;
    const own = turn.ranked.find(({ candidate }) => candidate.url === url);
    if (best === undefined || own === undefined || best.score * muchBetter > own.score) {
      turn.took(url);
      return shown;
    }
    shown.raw.answer.done();
    return { ...shown, raw: null, ranked: best };
  }

  /** What the answer will take, as far as the record is known. */
  #sizeOf({ uri, request }: AskedDocument): Bytes | null {
    const last = this.#parts.proofs.last(uri);
    return last?.prepared?.variantFor(request.fields).variant?.length ?? null;
  }

  #choose({ known, uri, path, request }: AskedDocument, size: Bytes | null): Choice {
    const { chooser, clock } = this.#parts;
    const { client = '', from } = request;
    const choice = chooser.choose(known, { uri, path, size, client, from, now: clock.monotonic() });
    if (known.group.group.policy.consistency.mode !== 'strict') return choice;
    // without a lease only the primary knows what is so now (protocol decision 7)
    const ranked = choice.ranked.filter(({ candidate }) => candidate.role === 'primary');
    if (from === undefined || ranked.length > 0) return { ...choice, ranked };
    const because = 'only the primary may answer';
    return {
      ranked,
      skipped: [...choice.ranked.map(({ candidate: { url } }) => ({ url, because })), ...choice.skipped],
    };
  }

  #answeredBy(shown: Shown, by: Ranked, turn: Turn): AnsweredBy {
    const { url, role } = by.candidate;
    this.metrics.answers.of(role).add();
    if (!shown.isCurrent) this.metrics.unconfirmed.add();
    const { epoch, seq } = shown.document.proven.head;
    const version = { epoch, seq };
    return { url, role, score: by.score, skipped: turn.skipped, isUnconfirmed: !shown.isCurrent, version };
  }

  #sample({ known }: AskedDocument, { document: { proven, prepared } }: Shown): void {
    const variant = prepared?.variantFor(Fields.none).variant ?? null;
    if (this.#samples === null || variant === null || proven.record === null || !proven.isThere) return;
    const list = this.#parts.lists.atHand(variant);
    if (list === null || list.length === 0) return;
    const block = { digest: digestFrom(list), size: bytes(Math.min(variant.length, variant.blockSize)) };
    this.#samples.served(known.namespace, { content: variant.digest, block, path: proven.record.path });
  }
}

type BodyParts = Pick<VerifiedBodyOptions, 'from' | 'to' | 'first' | 'sources'> & {
  readonly listSources: ContentSources;
};

/** Whether absence from the trie says nothing (protocol decision 17). */
const isOpen = ({ known, path }: AskedDocument): boolean => {
  const { complete, query } = known.group.group.policy;
  return !complete || (query === 'forward' && path.includes('?'));
};

function nobodyLeft(turn: Turn): WillisError {
  const why = turn.skipped.map(({ url, because }) => `${url}: ${because}`).slice(0, mostTold);
  const message = why.length === 0 ? 'nobody holds it' : why.join('; ');
  return new WillisError('content-unreachable', message, { alternatives: turn.alternatives });
}

const mostTold = 8;
const usualMemory = bytes(33_554_432);
/** From here on what a node delivers in a second counts for more than how near it is. */
const large = 262_144;
const muchBetter = 1.5;
/** Of contents of 64 GiB. A block is held until it is there and verified, so that who states longer ones states what he likes to fill. */
const largestBlock = 16_777_216;
