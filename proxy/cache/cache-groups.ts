import type { Fields } from '../http/fields.js';
import { parseList } from '../http/structured-fields.js';
import { changesState } from './invalidation.js';

/** The cache groups that a response belongs to, within its origin (RFC 9875 §2); case-sensitive. */
export const cacheGroups = (fields: Fields): readonly string[] => groupsIn(fields.get('cache-groups'));

/**
 * The cache groups that a response makes invalid, within its origin (RFC 9875 §3): none after a safe method. An error is
 * taken to have changed nothing, as in RFC 9111 §4.4.
 */
export const groupsToInvalidate = (fields: Fields, method: string, status: number): readonly string[] =>
  changesState(method, status) ? groupsIn(fields.get('cache-group-invalidation')) : none;

const none: readonly string[] = [];

/** RFC 9875 §2 asks for 32 groups of 32 characters at least; what is beyond these bounds is passed over. */
const mostGroups = 64;
const longestGroup = 128;

/** A List of Strings, each once, parameters ignored; a field that is anything else is ignored whole (RFC 9651 §4.2). */
function groupsIn(value: string | undefined): readonly string[] {
  const members = value === undefined ? null : parseList(value);
  if (members === null) return none;
  const groups = new Set<string>();
  for (const member of members) {
    if ('items' in member || typeof member.value !== 'string') return none;
    if (member.value.length <= longestGroup && groups.size < mostGroups) groups.add(member.value);
  }
  return [...groups];
}
