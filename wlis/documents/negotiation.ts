import type { Fields } from '../../proxy/http/fields.js';
import type { Variant } from '../trust/variant.js';
import { codingQuality, languageQuality, typeQuality, type Quality } from './preferences.js';

/** As much of a variant as is negotiated about. */
export type Offered = Pick<Variant, 'coding' | 'language' | 'type'>;

/** The request fields that select among variants, in lower case: those about which they differ. */
export const selectingFields = (variants: readonly Offered[]): readonly string[] =>
  subjects.filter(({ of }) => new Set(variants.map(of)).size > 1).map(({ field }) => field);

/**
 * The index of the variant that answers a request (RFC 9110 §12.1, proactive negotiation). Language, type and coding are chosen
 * one after the other, each among what is left: what the client likes best, and of what it likes equally what stands first, for
 * the list is in the order of the primary's preference. A field that nothing satisfies is disregarded (§12.4.1).
 */
export function negotiate(variants: readonly Offered[], fields: Fields): number {
  let left = [...variants];
  for (const { field, of, qualityBy } of subjects) {
    const value = best(new Set(left.map(of)), qualityBy(fields.get(field)));
    left = left.filter((one) => of(one) === value);
  }
  return Math.max(0, variants.indexOf(left[0] as Offered));
}

interface Subject {
  readonly field: string;
  readonly of: (variant: Offered) => string | null;
  readonly qualityBy: (value: string | undefined) => Quality;
}

const subjects: readonly Subject[] = [
  { field: 'accept-language', of: ({ language }) => language, qualityBy: languageQuality },
  { field: 'accept', of: ({ type }) => type, qualityBy: typeQuality },
  { field: 'accept-encoding', of: ({ coding }) => coding, qualityBy: codingQuality },
];

function best(values: ReadonlySet<string | null>, quality: Quality): string | null {
  const [first = null] = values;
  let chosen = first;
  let highest = 0;
  for (const value of values) {
    const worth = quality(value);
    if (worth <= highest) continue;
    chosen = value;
    highest = worth;
  }
  return chosen;
}
