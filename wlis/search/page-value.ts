/** Of a page that may be kept in an index or left out of it. */
export interface ValuedPage {
  /** As records have it. */
  readonly path: string;
}

/**
 * Which of two pages of a namespace is left out first where there is no room for both: less than 0 for `a`. Those that lie
 * deepest, which sites lead to last; among these those with the longer path; and then the later in the alphabet.
 */
export function compareValue(a: ValuedPage, b: ValuedPage): number {
  return depthOf(b.path) - depthOf(a.path) || b.path.length - a.path.length || compareText(b.path, a.path);
}

/** By UTF-16 code units. */
export const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Directories above it; what stands for a directory lies as high as what is in it. */
function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth++;
  return depth;
}
