import type { Subset } from '../../wlis/trust/subset.js';

/**
 * Whether all that one subset has is in another one, so that who holds that can give it; null is all of the namespace. Where
 * patterns would have to be thought about, it says no: then another node is asked.
 */
export function covers(outer: Subset | null, inner: Subset | null): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  return (
    isNotLonger(inner, outer) &&
    (outer.include.length === 0 || (inner.include.length > 0 && areIn(inner.include, outer.include))) &&
    areIn(outer.exclude, inner.exclude)
  );
}

const isNotLonger = (inner: Subset, outer: Subset): boolean =>
  outer.maxBytes === null || (inner.maxBytes !== null && inner.maxBytes <= outer.maxBytes);

/** Whether all that the patterns of one list are for, one of the other list is for as well. */
const areIn = (patterns: readonly string[], others: readonly string[]): boolean =>
  patterns.every((pattern) => others.some((other) => isIn(pattern, other)));

function isIn(pattern: string, other: string): boolean {
  if (pattern === other) return true;
  // a slash at the end stands for all that lies below
  const spelled = other.endsWith('/') ? `${other}**` : other;
  if (!spelled.endsWith('**')) return false;
  const begin = spelled.slice(0, -2);
  return !begin.includes('*') && pattern.startsWith(begin);
}
