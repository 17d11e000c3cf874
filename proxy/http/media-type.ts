import { splitList, trimOws } from './fields.js';

/** How a client rates a media type. */
export interface Acceptance {
  /** From 0 (not acceptable) to 1. */
  readonly quality: number;
  /** Whether the client named the type itself and not only a range that includes it. */
  readonly named: boolean;
}

/**
 * What an `Accept` says about a media type without parameters, given in lower case: the most specific range that includes
 * it decides (RFC 9110 §12.5.1). Without the field everything is acceptable. Members that are not the grammar, and ranges
 * with parameters, which are narrower than the type, do not count.
 */
export function acceptance(accept: string | undefined, mediaType: string): Acceptance {
  if (accept === undefined) return { quality: 1, named: false };
  const anySubtype = `${mediaType.slice(0, mediaType.indexOf('/'))}/*`;
  const ranges = new Map<string, number>();
  for (const member of splitList(accept)) {
    const [range = '', ...parameters] = member.split(';').map(trimOws);
    const quality = qualityOf(parameters);
    if (quality !== null) ranges.set(range.toLowerCase(), quality);
  }
  const named = ranges.get(mediaType);
  if (named !== undefined) return { quality: named, named: true };
  return { quality: ranges.get(anySubtype) ?? ranges.get('*/*') ?? 0, named: false };
}

/** 1 without a weight; null for a malformed one and for parameters of the type. */
function qualityOf(parameters: readonly string[]): number | null {
  if (parameters.length === 0) return 1;
  const weight = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(parameters[0] ?? '')?.[1];
  return weight === undefined ? null : Number(weight);
}
