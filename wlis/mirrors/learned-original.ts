import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { parseResponseDirectives, type RequestDirectives } from '../../proxy/cache/cache-control.js';
import {
  computeFreshness,
  currentAge,
  isFresh,
  type Freshness,
  type FreshnessPolicy,
} from '../../proxy/cache/freshness.js';
import { freshenedFields } from '../../proxy/cache/freshen.js';
import { staleForbidden } from '../../proxy/cache/reuse.js';
import { selectingFieldsOf, type SelectingFields } from '../../proxy/cache/vary.js';
import type { Fields } from '../../proxy/http/fields.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';
import { withoutHopByHop } from '../../proxy/http/hop-by-hop.js';
import { versionIn, type DocumentVersion } from './document-version.js';

/** What the original answered last for a document, without its bytes. */
export interface LearnedOriginal {
  /** 200, or 404 or 410. */
  readonly status: number;
  readonly reason: string;
  /** End-to-end fields but for those of the message; with `Date`. */
  readonly fields: Fields;
  readonly version: DocumentVersion;
  readonly freshness: Freshness;
  readonly selecting: SelectingFields;
}

/** An answer of the original, and the request that it is for. */
export interface OriginalsAnswer {
  readonly method: string;
  readonly requestFields: Fields;
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
  readonly policy: FreshnessPolicy;
}

/** What there is to remember of an answer; null for one that is nobody else's, or that nothing can be compared with. */
export function learnFrom(answer: OriginalsAnswer): LearnedOriginal | null {
  const { status, requestFields, responseTime } = answer;
  const isDocument = status === 200 || status === 206;
  if (!isDocument && status !== 404 && status !== 410) return null;
  const directives = parseResponseDirectives(answer.fields, false);
  if (answer.fields.has('set-cookie') || directives.noStore || directives.private !== false) return null;
  const selecting = selectingFieldsOf(answer.fields, requestFields);
  if (selecting === null) return null;
  const fields = rememberedFields(answer.fields, responseTime);
  if (fields.wire().length > mostCharacters) return null;
  return {
    status: status === 206 ? 200 : status,
    reason: status === 206 ? 'OK' : answer.reason,
    fields,
    version: versionIn(answer, answer.method, responseTime),
    freshness: computeFreshness({ ...answer, directives }),
    selecting,
  };
}

/** The same after a 304 of the original that says that it still has that version; null if it says nothing of the kind. */
export function confirmedBy(learned: LearnedOriginal, answer: OriginalsAnswer): LearnedOriginal | null {
  const { fields, version } = learned;
  const told = versionIn(answer, answer.method, answer.responseTime);
  const isSame =
    told.entityTag !== null
      ? told.entityTag.opaque === version.entityTag?.opaque
      : answer.fields.has('last-modified') && answer.fields.first('last-modified') === fields.first('last-modified');
  if (answer.status !== 304 || learned.status !== 200 || !isSame) return null;
  const merged = freshenedFields(fields, rememberedFields(answer.fields, answer.responseTime));
  const directives = parseResponseDirectives(merged, false);
  if (directives.noStore || directives.private !== false || merged.wire().length > mostCharacters) return null;
  const freshness = computeFreshness({ ...answer, status: 200, fields: merged, directives });
  return { ...learned, fields: merged, freshness };
}

/** Whether it can be taken for what the original would say now (RFC 9111 §4.2). */
export function isCurrent({ freshness }: LearnedOriginal, request: RequestDirectives, now: EpochMs): boolean {
  if (request.noCache || freshness.directives.noCache === true || now < freshness.responseTime) return false;
  const isYoung = request.maxAge === null || currentAge(freshness, now) <= request.maxAge;
  return isYoung && isFresh(freshness, now);
}

/** Whether it may stand in for an original that cannot be asked (RFC 9111 §4.2.4). */
export const mayStandIn = ({ freshness }: LearnedOriginal): boolean => !staleForbidden(freshness);

/** How long ago the original said so, in whole seconds, as `Age` has it. */
export const ageOf = ({ freshness }: LearnedOriginal, now: EpochMs): number => Math.floor(currentAge(freshness, now));

/** What it takes to remember it. */
export const sizeOf = ({ fields }: LearnedOriginal): Bytes => bytes(2 * fields.wire().length + 1000);

/** No server says so much of a document that is worth it. */
const mostCharacters = 8192;

function rememberedFields(received: Fields, responseTime: EpochMs): Fields {
  const fields = withoutHopByHop(received, ofTheMessage);
  return fields.has('date') ? fields : fields.plus('Date', formatHttpDate(responseTime));
}

/** Of one message, or about those who passed it on. */
const ofTheMessage: ReadonlySet<string> = new Set([
  ...['age', 'content-length', 'content-range', 'content-digest', 'cache-status', 'proxy-status', 'via', 'warning'],
  ...['server-timing', 'set-cookie', 'set-cookie2'],
]);
