import type { Bytes } from '../../config/units.js';
import { pathPatterns } from '../path-patterns.js';
import type { Subset } from '../trust/subset.js';

/** Whether a replica holds what lies under a path of the namespace. @param size null if it is not known: then any may fit */
export type SubsetTest = (path: string, size: Bytes | null) => boolean;

/** @param subset null for all of the namespace */
export function subsetTest(subset: Subset | null): SubsetTest {
  if (subset === null) return () => true;
  const { include, exclude, maxBytes } = subset;
  const [included, excluded] = [pathPatterns(include), pathPatterns(exclude)];
  return (path, size) =>
    (maxBytes === null || size === null || size <= maxBytes) &&
    (include.length === 0 || included.matches(path)) &&
    !excluded.matches(path);
}
