import { splitList, trimOws } from '../../proxy/http/fields.js';
import { acceptance } from '../../proxy/http/media-type.js';
import { weightOf } from '../../proxy/http/weight.js';

/** How a client likes a property of a representation, null where it is not said: 0 if that is not acceptable. */
export type Quality = (value: string | null) => number;

/**
 * Content codings by `Accept-Encoding` (RFC 9110 §12.5.3). Without the field no coding is sent where it can be left out: who
 * does not mention codings may know of none. `identity` is the last resort, be it refused.
 */
export function codingQuality(accept: string | undefined): Quality {
  const weights = weightsIn(accept ?? '', codingAliases);
  const others = weights.get('*');
  const identity = weights.get('identity') ?? others ?? UNLISTED_IDENTITY;
  const one = (coding: string): number =>
    coding === 'identity' ? Math.max(identity, REFUSED_IDENTITY) : (weights.get(coding) ?? others ?? 0);
  // several were applied one after the other, and each has to be undone
  return (value) => Math.min(...(value ?? 'identity').split(', ').map(one));
}

/**
 * Languages by `Accept-Language` (RFC 9110 §12.5.4): basic filtering (RFC 4647 §3.3.1), where the longest range that matches
 * a tag has its say.
 */
export function languageQuality(accept: string | undefined): Quality {
  const weights = weightsIn(accept ?? '', noAliases);
  const ofTag = (tag: string): number => {
    for (let end = tag.length; end > 0; end = tag.lastIndexOf('-', end - 1)) {
      const weight = weights.get(tag.slice(0, end));
      if (weight !== undefined) return weight;
    }
    return weights.get('*') ?? 0;
  };
  return (value) => Math.max(...(value ?? '').toLowerCase().split(', ').map(ofTag));
}

/** Media types by `Accept` (RFC 9110 §12.5.1). */
export const typeQuality =
  (accept: string | undefined): Quality =>
  (value) =>
    acceptance(accept, trimOws((value ?? unknownType).split(';')[0] ?? '').toLowerCase()).quality;

/** Weights from 0 to 1000 by name in lower case. Members that are not the grammar do not count. */
function weightsIn(value: string, aliases: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of splitList(value)) {
    const [first = '', ...parameters] = member.split(';');
    const name = trimOws(first).toLowerCase();
    const weight = weightOf(parameters);
    if (weight !== null) weights.set(aliases.get(name) ?? name, weight);
  }
  return weights;
}

/** Less than any weight that is given, since those were asked for. */
const UNLISTED_IDENTITY = 0.5;
const REFUSED_IDENTITY = 0.25;

/** RFC 9110 §8.4.1 */
const codingAliases: ReadonlyMap<string, string> = new Map([
  ['x-gzip', 'gzip'],
  ['x-compress', 'compress'],
]);
const noAliases: ReadonlyMap<string, string> = new Map();

/** RFC 9110 §8.3 */
const unknownType = 'application/octet-stream';
