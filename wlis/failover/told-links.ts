import { isOwnLink, linkValues } from '../piggyback/link-field.js';

/**
 * The members of a `Link` field (RFC 8288 §3) without those that have the parameter `wlis`, which are of the one who sent them
 * and are written anew by each; null if none is left. The value itself if it has no such member.
 */
export function withoutToldLinks(value: string): string | null {
  if (!/;[ \t]*wlis/i.test(value)) return value;
  const members = linkValues(value);
  const kept = members.filter((member) => !isOwnLink(member));
  if (kept.length === members.length) return value;
  return kept.length === 0 ? null : kept.join(', ');
}
