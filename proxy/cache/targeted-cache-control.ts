import { parseDictionary, Token, type Member } from '../http/structured-fields.js';
import type { Directive } from './directive-list.js';

/**
 * The directives of a targeted field such as `CDN-Cache-Control`, a Structured Field Dictionary (RFC 9213 §2.1); null if
 * it cannot be parsed or is empty and is therefore to be ignored (§2.2). Parameters mean nothing. A value of another type
 * than the directive's makes that directive malformed; `?0` is as if it were not there.
 */
export function readTargetedDirectives(value: string): Directive[] | null {
  const dictionary = parseDictionary(value);
  if (dictionary === null || dictionary.size === 0) return null;
  const directives: Directive[] = [];
  for (const [name, { value }] of dictionary) {
    if (value === false) continue;
    const argument = argumentOf(name, value);
    directives.push({ name, argument, malformed: argument === null && value !== true });
  }
  return directives;
}

function argumentOf(name: string, value: Member['value']): string | null {
  if (withDelta.has(name)) return typeof value === 'number' ? String(value) : null;
  if (!withFieldNames.has(name)) return null;
  return typeof value === 'string' || value instanceof Token ? value.toString() : null;
}

const withDelta: ReadonlySet<string> = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);
const withFieldNames: ReadonlySet<string> = new Set(['private', 'no-cache']);
