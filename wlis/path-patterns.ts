import { patternTest } from '../config/uri-pattern.js';

/** Patterns for paths below the top of a directory, without a slash at the beginning. */
export interface PathPatterns {
  /** Whether one of them is for this path. */
  matches(path: string): boolean;
  /** Whether one of them is for all that can lie below a directory, whose path ends in a slash. */
  coversAllBelow(directory: string): boolean;
}

/**
 * Patterns as in `config/uri-pattern`: `*` for any characters but `/`, `**` for any; with a slash at the end, all that lies
 * below. A leading `**` and slash stand for the top too.
 */
export function pathPatterns(patterns: readonly string[]): PathPatterns {
  const spelled = patterns.flatMap((pattern) => (pattern.startsWith('**/') ? [pattern, pattern.slice(3)] : [pattern]));
  const tests = spelled.map((pattern) => ({ test: patternTest(pattern), isOpen: /(?:\*\*|\/)$/.test(pattern) }));
  return {
    matches: (path) => tests.some(({ test }) => test(path)),
    coversAllBelow: (directory) => tests.some(({ test, isOpen }) => isOpen && test(directory)),
  };
}
