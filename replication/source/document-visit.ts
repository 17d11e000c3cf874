import { milliseconds, type Milliseconds } from '../../config/units.js';
import { asWillisError } from '../../proxy/base/errors.js';
import { within } from '../../proxy/base/within.js';
import { parseDeltaSeconds } from '../../proxy/cache/delta-seconds.js';
import { Fields } from '../../proxy/http/fields.js';
import type { CanonicalUri } from '../../wlis/canonical-uri.js';
import {
  decoded,
  longestContent,
  readBeginning,
  type DiscoveryAnswer,
  type DiscoveryFetch,
} from './discovery-fetch.js';
import type { Stop } from './discovery-frontier.js';
import type { Validators, VisitedDocument } from './discovery-state.js';
import { targetOf, targetsOfPage, targetsOfStyle, type DocumentSpace, type PageTargets } from './page-targets.js';

export interface VisitParts {
  readonly stop: Stop;
  /** What an earlier walk knew of it. */
  readonly before: VisitedDocument | null;
  readonly space: DocumentSpace;
  readonly fetch: DiscoveryFetch;
  readonly robot: string;
}

export type VisitOutcome =
  | { readonly kind: 'document'; readonly document: VisitedDocument; readonly isUnchanged: boolean }
  | {
      readonly kind: 'redirect';
      readonly status: number;
      readonly location: string | null;
      readonly target: CanonicalUri | null;
    }
  | {
      readonly kind: 'failed';
      readonly status: number | null;
      readonly because: string;
      /** Whether it may be there another time. */
      readonly isPassing: boolean;
      readonly retryAfter: Milliseconds | null;
    };

/**
 * Asks for one URI, and reads what it says of others. What belongs to a page is asked for by HEAD, unless it turns out to be
 * something that leads on, or HEAD is not understood.
 */
export class DocumentVisit {
  /** Bytes of content that were received. */
  received = 0;

  constructor(private readonly parts: VisitParts) {}

  /** @throws the reason of the signal */
  async make(patience: Milliseconds, signal: AbortSignal): Promise<VisitOutcome> {
    const time = { isOver: false };
    try {
      return await within(patience, signal, (over) => {
        over.addEventListener('abort', () => (time.isOver = true), { once: true });
        return this.#outcome(over);
      });
    } catch (error) {
      signal.throwIfAborted();
      const because = time.isOver ? 'it took too long' : asWillisError(error).message;
      return { kind: 'failed', status: null, because, isPassing: true, retryAfter: null };
    }
  }

  async #outcome(signal: AbortSignal): Promise<VisitOutcome> {
    const answer = await this.#answer(signal);
    const { status, fields, body } = answer;
    const { before, stop, space } = this.parts;
    if (status === 304 && before?.validators != null) {
      body?.cancel();
      return {
        kind: 'document',
        document: { ...before, validators: validatorsIn(fields, before.validators) },
        isUnchanged: true,
      };
    }
    if (status === 200) return { kind: 'document', document: await this.#document(answer, signal), isUnchanged: false };
    body?.cancel();
    if (isRedirect.has(status)) {
      const location = fields.first('location') ?? null;
      return {
        kind: 'redirect',
        status,
        location,
        target: location === null ? null : targetOf(location, stop.uri, space),
      };
    }
    return failure(status, fields);
  }

  async #answer(signal: AbortSignal): Promise<DiscoveryAnswer> {
    if (this.parts.stop.kind === 'page') return this.#ask('GET', signal);
    const answer = await this.#ask('HEAD', signal);
    const leadsOn = answer.status === 200 && readerOf(typeIn(answer.fields)) !== null;
    const isUnknown = answer.status === 400 || answer.status === 403 || answer.status === 405 || answer.status >= 500;
    if (!leadsOn && !isUnknown) return answer;
    answer.body?.cancel();
    return this.#ask('GET', signal);
  }

  #ask(method: 'GET' | 'HEAD', signal: AbortSignal): Promise<DiscoveryAnswer> {
    const { before, stop, fetch, robot } = this.parts;
    const { entityTag = null, lastModified = null } = before?.validators ?? {};
    const fields = Fields.of({
      Accept: 'text/html, text/css;q=0.9, */*;q=0.8',
      'Accept-Encoding': 'identity',
      'User-Agent': robot,
      ...(entityTag !== null && { 'If-None-Match': entityTag }),
      ...(entityTag === null && lastModified !== null && { 'If-Modified-Since': lastModified }),
    });
    return fetch({ method, uri: stop.uri, fields }, signal);
  }

  async #document({ fields, body }: DiscoveryAnswer, signal: AbortSignal): Promise<VisitedDocument> {
    const { uri } = this.parts.stop;
    const type = typeIn(fields);
    const read = readerOf(type);
    const about = { uri, type, validators: validatorsIn(fields, null) };
    if (read === null || body === null) {
      body?.cancel();
      return { ...about, ...leadsNowhere };
    }
    const received = await readBeginning(body, longestContent, signal);
    this.received += received.length;
    const content = decoded(received, fields.get('content-encoding'), longestContent);
    return { ...about, ...(content === null ? leadsNowhere : read(content, uri, fields, this.parts.space)) };
  }
}

function failure(status: number, fields: Fields): VisitOutcome {
  const isPassing = status === 429 || status === 408 || status >= 500;
  const [after] = fields.list('retry-after');
  const delay = isPassing && after !== undefined ? parseDeltaSeconds(after) : null;
  const retryAfter = delay === null ? null : milliseconds(delay * 1000);
  return { kind: 'failed', status, because: `status ${status}`, isPassing, retryAfter };
}

type Reader = (content: Buffer, uri: CanonicalUri, fields: Fields, space: DocumentSpace) => PageTargets;

/** What reads documents of a type for where they lead; null for those that lead nowhere. */
function readerOf(type: string | null): Reader | null {
  if (type === 'text/html' || type === 'application/xhtml+xml') return targetsOfPage;
  if (type !== 'text/css') return null;
  return (content, uri, _fields, space) => ({ ...leadsNowhere, targets: targetsOfStyle(content, uri, space) });
}

const typeIn = (fields: Fields): string | null =>
  fields.first('content-type')?.replace(/;.*/s, '').trim().toLowerCase().slice(0, longestType) ?? null;

/** What is not said anew stays as it was. */
function validatorsIn(fields: Fields, before: Validators | null): Validators | null {
  const entityTag = fields.first('etag') ?? before?.entityTag ?? null;
  const lastModified = fields.first('last-modified') ?? before?.lastModified ?? null;
  const isShort = (entityTag?.length ?? 0) + (lastModified?.length ?? 0) <= longestValidators;
  return (entityTag === null && lastModified === null) || !isShort ? null : { entityTag, lastModified };
}

const leadsNowhere: PageTargets = { targets: [], canonical: null, noindex: false };
const isRedirect = new Set([301, 302, 303, 307, 308]);
const longestType = 255;
const longestValidators = 512;
