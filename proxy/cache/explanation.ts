import type { CacheRule } from '../../config/schema.js';
import { bytes, seconds, type Bytes, type EpochMs, type Seconds } from '../../config/units.js';
import type { TargetUri } from '../http/target-uri.js';
import { hrefOf } from '../http/target-uri.js';
import { normaliseField } from './accept-normalisation.js';
import { parseRequestDirectives } from './cache-control.js';
import type { CacheKey } from './cache-key.js';
import { currentAge, isFresh, remainingLifetime, type Freshness } from './freshness.js';
import { nextStep, type NextStep, type NextStepInput } from './next-step.js';
import { plan, planWithoutStored, type PlannedRequest } from './plan.js';
import { staleForbidden } from './reuse.js';
import type { Interval, StoredResponse } from './stored-response.js';
import { selects, selectStored } from './vary.js';

/** A request that is only talked about. */
export type HypotheticalRequest = PlannedRequest & { readonly target: TargetUri };

/** What the cache has for a request and what it would do about it, as plain values for an operator. */
export interface Explanation {
  readonly method: string;
  readonly uri: string;
  readonly key: CacheKey;
  /** The rule of the operator that governs the URI; null if none does. */
  readonly rule: CacheRule | null;
  /** All that is stored under the key, the most recently stored or freshened first. */
  readonly stored: readonly StoredExplanation[];
  /** Which of them the request selects, and why this one; null if it selects none. */
  readonly selected: { readonly id: string; readonly because: string } | null;
  readonly next: NextStep;
}

export interface StoredExplanation {
  readonly id: string;
  readonly status: number;
  /** Whether the selecting fields of the request match, and where they do not, what differs; in normal form. */
  readonly matches: boolean;
  readonly selecting: readonly SelectingField[];
  readonly contentType: string | null;
  /** Of the whole; null if only its parts and not its end are known. */
  readonly length: Bytes | null;
  readonly complete: boolean;
  readonly held: readonly Interval[];
  readonly heldBytes: Bytes;
  /** When its head was received, from the origin server or, since then, with the last validation. */
  readonly receivedAt: string;
  readonly age: Seconds;
  readonly lifetime: Seconds;
  readonly lifetimeSource: Freshness['lifetimeSource'];
  /** Negative: for how long it has been stale. */
  readonly freshFor: Seconds;
  /** What governs it: the value of `Cache-Control`, or of the targeted field that replaces it (RFC 9213). */
  readonly cacheControl: string | null;
  readonly stale: StaleRules;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly groups: readonly string[];
  readonly invalidated: boolean;
  readonly purged: boolean;
}

export interface SelectingField {
  readonly name: string;
  /** Null where there was, or is, no such field. */
  readonly stored: string | null;
  readonly requested: string | null;
}

/** What the response says about its use when stale (RFC 9111 §4.2.4, RFC 5861). */
export interface StaleRules {
  readonly forbidden: boolean;
  readonly whileRevalidate: Seconds | null;
  readonly ifError: Seconds | null;
}

export interface ExplanationInput extends Omit<NextStepInput, 'directives'> {
  readonly request: HypotheticalRequest;
  readonly key: CacheKey;
}

/** By the plan by which the request would be answered now. */
export function explain(input: ExplanationInput): Explanation {
  const { request, key, rule, candidates, now } = input;
  const directives = parseRequestDirectives(request.fields);
  const chosen = planWithoutStored(request, directives, rule) ?? plan(request, directives, candidates, now);
  const { selected } = selectStored(candidates, request.fields, now);
  return {
    method: request.method,
    uri: hrefOf(request.target),
    key,
    rule,
    stored: candidates.map((stored) => storedExplanation(stored, request, now)),
    selected: selected && { id: selected.id, because: reasonForSelection(selected, input) },
    next: nextStep(chosen, { ...input, directives }),
  };
}

function storedExplanation(stored: StoredResponse, request: HypotheticalRequest, now: EpochMs): StoredExplanation {
  const { id, status, fields, freshness, length, complete, held, groups, invalidated } = stored;
  const { directives, lifetime, lifetimeSource } = freshness;
  return {
    id,
    status,
    matches: selects(stored.selecting, request.fields),
    selecting: stored.selecting.names.map((name, i) => ({
      name,
      stored: stored.selecting.values[i] ?? null,
      requested: normaliseField(name, request.fields.get(name) ?? null),
    })),
    contentType: fields.first('content-type') ?? null,
    length,
    complete,
    held,
    heldBytes: bytes(held.reduce((sum, { from, to }) => sum + to - from, 0)),
    receivedAt: new Date(stored.responseTime).toISOString(),
    age: wholeSeconds(currentAge(freshness, now)),
    lifetime: wholeSeconds(lifetime),
    lifetimeSource,
    freshFor: wholeSeconds(remainingLifetime(freshness, now)),
    cacheControl: fields.get(directives.source) ?? null,
    stale: {
      forbidden: staleForbidden(freshness),
      whileRevalidate: directives.staleWhileRevalidate,
      ifError: directives.staleIfError,
    },
    etag: fields.first('etag') ?? null,
    lastModified: fields.first('last-modified') ?? null,
    groups,
    invalidated,
    purged: lifetimeSource === 'purged',
  };
}

/** The rules of `selectStored`, in words. */
function reasonForSelection(selected: StoredResponse, { candidates, request, now }: ExplanationInput): string {
  if (candidates.length === 1) return 'the only one stored, and the request matches it';
  const matching = candidates.filter(({ selecting }) => selects(selecting, request.fields));
  if (matching.length === 1) return 'the only one whose selecting fields the request matches';
  const goesBefore =
    selected.selecting.names.length > 0 &&
    isFresh(selected.freshness, now) &&
    matching.some(({ selecting }) => selecting.names.length === 0);
  return goesBefore
    ? 'the request matches several; a fresh one with Vary goes before those without'
    : 'the most recent, by Date, of those that the request matches';
}

const wholeSeconds = (value: Seconds): Seconds => seconds(Math.floor(value) + 0);
