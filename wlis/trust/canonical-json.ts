import { NotBelieved, quoted } from './not-believed.js';

/** What the formats are made of. Numbers are integers of at most 53 bits. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/**
 * The one text for a value (JSON Canonicalization Scheme, RFC 8785): members in the order of the UTF-16 code units of
 * their names, no white space, strings and numbers as ECMAScript writes them. Members that are undefined are left out.
 * There is no line break in it, so that it can stand in a list of lines.
 * @throws NotBelieved malformed for what has no such text: other numbers, single surrogates, nesting beyond 16
 */
export const canonicalJson = (value: Json): string => written(value, 0);

/**
 * Reads a text that `canonicalJson` made; what says the same in another spelling is refused, so that equal values have
 * equal digests, and that no two readers understand it differently.
 * @param what names it in messages
 * @param limit in characters
 * @throws NotBelieved malformed, too-large
 */
export function parseCanonicalJson(text: string, what: string, limit: number): Json {
  if (text.length > limit) throw new NotBelieved('too-large', `${what}: longer than ${limit} characters`);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new NotBelieved('malformed', `${what}: no JSON, it begins with ${quoted(text)}`, { cause });
  }
  if (canonicalJson(value) !== text) throw new NotBelieved('malformed', `${what}: not in canonical form (RFC 8785)`);
  return value;
}

function written(value: Json, depth: number): string {
  if (depth > deepest) throw new NotBelieved('malformed', `JSON nested more than ${deepest} times`);
  if (typeof value === 'string') return writtenString(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new NotBelieved('malformed', `${value} is no integer of at most 53 bits`);
    return JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map((one) => written(one, depth + 1)).join(',')}]`;
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member !== undefined) members.push(`${writtenString(name)}:${written(member, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}

function writtenString(text: string): string {
  if (isPlain.test(text)) return `"${text}"`;
  if (/\p{Surrogate}/u.test(text)) throw new NotBelieved('malformed', `${quoted(text)} has half of a character in it`);
  return JSON.stringify(text);
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** Nothing in it has to be escaped. */
const isPlain = /^[ !#-[\]-~]*$/;

const deepest = 16;
