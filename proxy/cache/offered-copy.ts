import { epochMs, type EpochMs } from '../../config/units.js';
import type { OfferedCopy } from '../base/errors.js';
import { Fields } from '../http/fields.js';
import { parseRequestDirectives } from './cache-control.js';
import { currentAge } from './freshness.js';
import { decideReuse, mayServeStaleOnFailure, type ReuseInput } from './reuse.js';

/**
 * A stored response that would answer the same request if that did not insist on a newer one: at once, or because nobody can
 * be reached; null where the response itself forbids that. For whom a forced reload has failed.
 */
export function offeredCopy(stored: ReuseInput & { readonly status: number }, now: EpochMs): OfferedCopy | null {
  if (stored.status !== 200) return null;
  const decision = decideReuse(stored, undemanding, now);
  const serves =
    decision.kind !== 'validate' || mayServeStaleOnFailure(stored, decision.reason, undemanding, 'unreachable', now);
  if (!serves) return null;
  const age = currentAge(stored.freshness, now);
  return { asOf: epochMs(now - age * 1000), age };
}

/** What a plain navigation says. */
const undemanding = parseRequestDirectives(Fields.none);
