import { splitList, trimOws } from '../http/fields.js';
import { weightOf } from '../http/weight.js';

/**
 * The normal form of the combined value of a request field that selects a variant, so that requests which mean the same
 * by the field's specification select the same stored response (RFC 9111 §4.1). Equal normal forms imply equal meaning:
 *
 * - Accept-Encoding, Accept-Language and Accept are lists of preferences, whose order does not count (RFC 9110 §12.5);
 *   of the weights of encodings and languages only the order of preference is kept;
 * - of every other field only the white space around commas is taken away.
 *
 * Null, which is a field that is absent, has only itself as its equal.
 * @param name in lower case
 */
export function normaliseField(name: string, value: string | null): string | null {
  if (value === null) return null;
  switch (name) {
    case 'accept-encoding':
      return encodings(value);
    case 'accept-language':
      return languages(value);
    case 'accept':
      return mediaRanges(value);
    default:
      return withoutListSpace(value);
  }
}

const encodings = remembering((value) => byPreference(value, aliases, isCoding, normaliseCodings));
const languages = remembering((value) => byPreference(value, new Map(), isLanguageRange, normaliseLanguages));
const mediaRanges = remembering(normaliseAccept);

const isCoding = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const isLanguageRange = /^(?:\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)$/;

/** RFC 9110 §8.4.1: names that older senders use. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['x-gzip', 'gzip'],
  ['x-compress', 'compress'],
]);

/** Weights, from 0 to 1000, by name in lower case. */
type Preferences = ReadonlyMap<string, number>;

function byPreference(
  value: string,
  renamed: ReadonlyMap<string, string>,
  isName: RegExp,
  normalise: (preferences: Preferences) => string,
): string {
  const preferences = new Map<string, number>();
  for (const member of splitList(value)) {
    const [first = '', ...parameters] = member.split(';');
    const written = trimOws(first).toLowerCase();
    const weight = weightOf(parameters);
    const name = renamed.get(written) ?? written;
    if (weight === null || !isName.test(name)) return asItIs(value);
    if ((preferences.get(name) ?? weight) !== weight) return asItIs(value);
    preferences.set(name, weight);
  }
  return normalise(preferences);
}

/** What cannot be read, marked so that it equals no normal form. */
const asItIs = (value: string): string => `=${withoutListSpace(value)}`;

/**
 * A coding of weight zero is the same as one that is not listed (RFC 9110 §12.5.3), except next to a `*` that would let
 * it in, and for `identity`, which is acceptable unless it or `*` is refused. A list that accepts no coding leaves
 * identity, as an empty one does.
 */
function normaliseCodings(preferences: Preferences): string {
  const accepted = ranked(preferences);
  const identity = preferences.get('identity') ?? preferences.get('*');
  const refused = [...preferences].filter(
    ([name, weight]) => weight === 0 && name !== '*' && name !== 'identity' && (preferences.get('*') ?? 0) > 0,
  );
  const negations = refused.map(([name]) => `!${name}`);
  if (identity === 0) negations.push('!identity');
  return [accepted === '' && identity !== 0 ? 'identity' : accepted, ...negations.sort()].join(';');
}

/** A range of weight zero matters even without `*`: `en, en-GB;q=0` (RFC 4647 §3.4). */
function normaliseLanguages(preferences: Preferences): string {
  const refused = [...preferences].filter(([, weight]) => weight === 0).map(([name]) => `!${name}`);
  return [ranked(preferences), ...refused.sort()].join(';');
}

/** `br,gzip>deflate`: by descending weight, those of equal weight in alphabetical order. */
function ranked(preferences: Preferences): string {
  const sorted = [...preferences].filter(([, weight]) => weight > 0);
  sorted.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  let text = '';
  let previous: number | undefined;
  for (const [name, weight] of sorted) {
    text += (previous === undefined ? '' : previous === weight ? ',' : '>') + name;
    previous = weight;
  }
  return text;
}

/** Media ranges with their parameters and exact weights, sorted; servers weigh them against their own (§12.5.1). */
function normaliseAccept(value: string): string {
  const members = new Set<string>();
  for (const member of splitList(value)) {
    if (member.includes('"')) return asItIs(value);
    const [range = '', ...parameters] = member.split(';').map(trimOws);
    if (!/^[^\s/=]+\/[^\s/=]+$/.test(range)) return asItIs(value);
    const weighted = /^q=/i.test(parameters.at(-1) ?? '');
    const weight = weightOf(weighted ? parameters.slice(-1) : []);
    const others = (weighted ? parameters.slice(0, -1) : parameters).map(lowerCaseName);
    if (weight === null || others.includes(null)) return asItIs(value);
    members.add([range.toLowerCase(), ...others, `q=${weight}`].join(';'));
  }
  return [...members].sort().join(',');
}

/** A parameter with its name in lower case; null if it is none, or a weight in the wrong place. */
function lowerCaseName(parameter: string): string | null {
  const parts = /^([^\s=]+)=([^\s=]+)$/.exec(parameter);
  const name = parts?.[1]?.toLowerCase();
  return parts === null || name === undefined || name === 'q' ? null : `${name}=${parts[2] as string}`;
}

/** Outside of quoted strings, where white space counts. */
function withoutListSpace(value: string): string {
  if (!value.includes(',')) return trimOws(value);
  let text = '';
  let start = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 0x22) quoted = !quoted;
    else if (c === 0x5c && quoted) i++;
    else if (c === 0x2c && !quoted) {
      text += `${trimOws(value.slice(start, i))},`;
      start = i + 1;
    }
  }
  return text + trimOws(value.slice(start));
}

/** Requests come in runs from like clients: the last value is worth remembering. */
function remembering(normalise: (value: string) => string): (value: string) => string {
  let lastValue: string | undefined;
  let lastForm = '';
  return (value) => {
    if (value === lastValue) return lastForm;
    lastForm = normalise(value);
    lastValue = value;
    return lastForm;
  };
}
