import type { TargetUri } from '../proxy/http/target-uri.js';
import { canonicalPath } from './canonical-path.js';
import { canonicalUriOf, type CanonicalUri } from './canonical-uri.js';
import { pathInside, type Namespace } from './namespace.js';
import { NotCanonical } from './not-canonical.js';

/**
 * The path that the documents of a namespace have for a target URI, in its one spelling and with its query; null if the
 * target does not belong to the namespace.
 * @throws NotCanonical for a target that no document can have
 */
export function requestedPath({ scheme, authority, path }: TargetUri, namespace: Namespace): string | null {
  const origin = `${scheme}://${authority}`;
  // a namespace is canonical, so that what stands before its path is the one spelling of that
  const isCanonical = namespace.startsWith(`${origin}/`);
  const uri = isCanonical ? ((origin + canonicalPath(path)) as CanonicalUri) : canonicalUriOf(scheme, authority, path);
  return pathInside(namespace, uri);
}

/** The same; null also for a target that no document can have. */
export function documentPathIn(target: TargetUri, namespace: Namespace): string | null {
  try {
    return requestedPath(target, namespace);
  } catch (error) {
    if (error instanceof NotCanonical) return null;
    throw error;
  }
}
