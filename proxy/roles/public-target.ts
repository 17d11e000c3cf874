import { originOf, type TargetUri } from '../http/target-uri.js';
import { resolveReference } from '../http/uri-reference.js';

/** So that no path leads out of the part of an origin server that a prefix stands for (RFC 3986 §6.2.2.3). */
export function withoutDotSegments(target: TargetUri): TargetUri {
  if (!dotSegment.test(target.path)) return target;
  const [path = '', ...query] = target.path.split('?');
  const plain = path.replace(/%2e/gi, '.');
  // with its authority, for a path that begins with two slashes would be taken for one
  return resolveReference(target, originOf(target) + [plain, ...query].join('?')) ?? target;
}

const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/**
 * Whether a path has a `..` that is a dot segment to some origin servers only: to those that take `%2F`, a backslash or its
 * encoding for a slash, or parameters off a segment.
 */
export const climbs = (path: string): boolean => looseDotSegment.test(path.replace(/\?.*$/, ''));

const looseDotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:;|[/\\]|%2f|%5c|$)/i;
