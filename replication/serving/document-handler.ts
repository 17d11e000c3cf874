import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { WillisError } from '../../proxy/base/errors.js';
import { answerFrom, type Answerable } from '../../proxy/cache/answer.js';
import { parseRequestDirectives } from '../../proxy/cache/cache-control.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';
import type { Request, Response } from '../../proxy/http/message.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { HeldNamespace } from '../held-namespace.js';
import type { ContentBody } from './content-body.js';
import { DocumentLookup, type Searched } from './document-lookup.js';
import { HeldProvenance } from './held-provenance.js';
import { nodeFields } from './node-fields.js';
import { failedPrecondition, optionsAnswer, plainNotFound, refuseMethod } from './own-answers.js';
import type { PreparedVariant } from '../../wlis/documents/prepared-document.js';
import { ServingStatuses, type Confirmed, type ServingStatus } from './serving-status.js';
import { standingOf } from './standing.js';
import { unlessCancelled } from './unless-cancelled.js';
import { VisitorContents } from './visitor-contents.js';

export interface DocumentHandlerOptions {
  /** Of this node, as `Cache-Status` has it. */
  readonly name: string;
  readonly clock: Clock;
  /** The time by which heads expire: that of the clock, corrected by what primaries say. By default as the clock has it. */
  readonly corrected?: () => EpochMs;
  /** For contents and prepared documents in memory. */
  readonly memory: Bytes;
  /** `https://m1.example`: where others find this node. Null by default. */
  readonly url?: () => string | null;
}

/**
 * What else this node has to say in an answer.
 * @param path of the document that is the answer, with status 200; null if it is anything else
 * @param variant of it that is sent; null if there is none
 */
export type Saying = (path: string | null, variant: Variant | null) => Said;

/** Names and values of fields in turns. */
export interface Said {
  /** The same list where it is the same again with the same document. */
  readonly recurring: readonly string[];
  readonly once: readonly string[];
}

export const nothingSaid: Said = { recurring: [], once: [] };

/**
 * Answers visitors from the documents of namespaces that this node holds. Status, end-to-end fields and bytes come from the
 * record alone, so that they are the same at the primary and at every replica; a node's own are `Date`, `Age`, `Cache-Status` and
 * `WLIS-Namespace`. What is in memory is answered in the same turn.
 *
 * Cookies and credentials have no effect: which requests go to the primary instead is for the caller to see to
 * (`forPrimary`), as are loops, `TRACE` and `Max-Forwards`.
 */
export class DocumentHandler {
  readonly #clock: Clock;
  readonly #corrected: () => EpochMs;
  readonly #limit: Bytes;
  readonly #url: () => string | null;
  readonly #statuses: ServingStatuses;
  readonly #documents: DocumentLookup;
  readonly #contents: VisitorContents;
  /** By the lines that are said, as long as those who say them keep them. */
  readonly #together = new WeakMap<readonly string[], { readonly before: Fields; readonly joined: Fields }>();

  constructor({ name, clock, corrected = () => clock.now(), memory, url = () => null }: DocumentHandlerOptions) {
    const forDocuments = Math.floor(memory / 4);
    this.#clock = clock;
    this.#corrected = corrected;
    this.#limit = memory;
    this.#url = url;
    this.#statuses = new ServingStatuses(name);
    this.#documents = new DocumentLookup(bytes(forDocuments));
    this.#contents = new VisitorContents(bytes(memory - forDocuments));
  }

  /** What is kept in memory for visitors. */
  get usage(): { readonly contents: Bytes; readonly documents: Bytes; readonly limit: Bytes } {
    return { contents: this.#contents.size, documents: this.#documents.size, limit: this.#limit };
  }

  /**
   * @throws WillisError (or rejects with one): `misdirected` for a target outside the namespace, which it is under another scheme
   *   too; `bad-request`, `method-not-allowed`; `unconfirmed` where this node may not answer; `content-unavailable` and
   *   `content-unreachable` where content is needed that cannot be had; `not-cached` where it would have to be fetched for a
   *   request that does not want that
   */
  answer(request: Request, held: HeldNamespace, saying: Saying = () => nothingSaid): Response | Promise<Response> {
    const now = this.#clock.now();
    const { method, target } = request;
    if (method !== 'GET' && method !== 'HEAD') return this.#otherMethod(request, held, now);
    const confirmed = confirmedNow(held, this.#corrected());
    const found = this.#documents.find(target, held);
    const document = found?.document ?? this.#documents.notFound(held);
    const chosen = document?.variantFor(request.fields);
    const path = chosen?.metadata.status === 200 && found !== null ? found.path : null;
    const said = saying(path, chosen?.variant ?? null);
    const visit: Visit = { request, held, now, confirmed, said };
    if (chosen === undefined) return plainNotFound(request, this.#added(visit, false));
    if (request.fields.has('if-match') || request.fields.has('if-unmodified-since')) {
      const failed = failedPrecondition(request, chosen, [...this.#added(visit, false), ...said.recurring], now);
      if (failed !== null) return failed;
    }
    return this.#represented(visit, chosen);
  }

  /** Whether there is a document for a target. @throws WillisError as `answer` does for the target */
  has(target: TargetUri, held: Searched): boolean {
    return this.#documents.find(target, held) !== null;
  }

  #otherMethod({ method, target, fields }: Request, held: HeldNamespace, now: EpochMs): Response {
    if (method !== 'OPTIONS') refuseMethod(method);
    const found = target.path === '*' ? null : this.#documents.find(target, held);
    return optionsAnswer(found?.document ?? null, nodeFields(held, now, fields));
  }

  #represented(visit: Visit, chosen: PreparedVariant): Response | Promise<Response> {
    const { variant } = chosen;
    const content = variant === null ? nothing : this.#contents.atHand(variant);
    if (content === undefined) return this.#fromElsewhere(visit, chosen, variant as Variant);
    const open = (from: Bytes, to: Bytes | null): Body => bufferedPart(content, from, to);
    return this.#answerFrom(visit, chosen, open, false);
  }

  /** The first bytes are there before the head of the answer leaves, so that it promises nothing that is not to be had. */
  #fromElsewhere(visit: Visit, chosen: PreparedVariant, variant: Variant): Response | Promise<Response> {
    const { request, held } = visit;
    const isHere = held.content.has(variant);
    const opened: ContentBody[] = [];
    const open = (from: Bytes, to: Bytes | null): Body => {
      const body = this.#contents.open(variant, from, to ?? variant.length, held.content);
      opened.push(body);
      return body;
    };
    const response = this.#answerFrom(visit, chosen, open, !isHere);
    const [first] = opened;
    // neither a HEAD request nor a 304 takes content, wherever it is
    if (first === undefined) return this.#answerFrom(visit, chosen, open, false);
    if (!isHere && onlyIfHere(request)) {
      response.body?.cancel();
      throw new WillisError('not-cached', `${variant.digest} is not held here`);
    }
    return begun(response, first, request);
  }

  #answerFrom(visit: Visit, chosen: PreparedVariant, open: Answerable['open'], wasFetched: boolean): Response {
    const { request, now } = visit;
    const length = chosen.variant?.length ?? bytes(0);
    const { outcome } = this.#status(visit, wasFetched);
    const fields = this.#joined(chosen.fields, visit.said.recurring);
    const metadata = request.fields.has('if-range') ? datedMetadata(chosen, now) : chosen.metadata;
    const options = { fields, recurring: true, added: this.#added(visit, wasFetched), outcome, now };
    const answer = answerFrom({ metadata, length, open }, request, options);
    return isPage(chosen) ? { ...answer, provenance: this.#provenance(visit, chosen.variant) } : answer;
  }

  #provenance({ held, confirmed, now }: Visit, variant: Variant): HeldProvenance {
    return new HeldProvenance(held, { url: this.#url() ?? '', confirmed, variant, now });
  }

  #added(visit: Visit, wasFetched: boolean): string[] {
    const lines = nodeFields(visit.held, visit.now, visit.request.fields);
    lines.push('Cache-Status', this.#status(visit, wasFetched).member, ...visit.said.once);
    return lines;
  }

  /** What is said again and again with the same document is put together once. */
  #joined(fields: Fields, said: readonly string[]): Fields {
    if (said.length === 0) return fields;
    const known = this.#together.get(said);
    if (known?.before === fields) return known.joined;
    const joined = fields.continuedBy(...said);
    this.#together.set(said, { before: fields, joined });
    return joined;
  }

  #status({ confirmed }: Visit, wasFetched: boolean): ServingStatus {
    return this.#statuses.of(confirmed, wasFetched);
  }
}

/** One request that is being answered. */
interface Visit {
  readonly request: Request;
  readonly held: HeldNamespace;
  readonly now: EpochMs;
  readonly confirmed: Confirmed;
  readonly said: Said;
}

/** RFC 9111 §5.2.1.7: nothing is to be fetched for it. */
const onlyIfHere = ({ fields }: Request): boolean =>
  fields.has('cache-control') && parseRequestDirectives(fields).onlyIfCached;

function confirmedNow(held: HeldNamespace, now: EpochMs): Confirmed {
  const standing = standingOf(held, now);
  if (standing.kind !== 'refused') return standing.kind;
  throw new WillisError('unconfirmed', `${held.namespace}: ${standing.reason}`);
}

/** Of others nobody asks where they come from. */
const isPage = (chosen: PreparedVariant): chosen is PreparedVariant & { readonly variant: Variant } =>
  chosen.metadata.status === 200 && chosen.variant !== null && /^text\/html/i.test(chosen.variant.type ?? '');

/** With the time of the answer, by which an `If-Range` with a date is judged (RFC 9110 §13.1.5, §8.8.2.2). */
function datedMetadata({ metadata, variant }: PreparedVariant, now: EpochMs): Answerable['metadata'] {
  if (variant?.lastModified == null) return metadata;
  return { ...metadata, fields: metadata.fields.plus('Date', formatHttpDate(now)) };
}

const bufferedPart = (content: Buffer, from: Bytes, to: Bytes | null): Body =>
  new BufferedBody([from === 0 && to === null ? content : content.subarray(from, to ?? content.length)]);

async function begun(response: Response, first: ContentBody, { cancellation }: Request): Promise<Response> {
  try {
    await unlessCancelled(first.ready(), cancellation);
    return response;
  } catch (error) {
    response.body?.cancel();
    throw error;
  }
}

const nothing = Buffer.alloc(0);
