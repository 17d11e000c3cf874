import type { Fields } from '../http/fields.js';
import { isSafeMethod } from '../http/methods.js';
import { originOf, type TargetUri } from '../http/target-uri.js';
import { resolveReference } from '../http/uri-reference.js';

/**
 * What a response makes invalid in the cache (RFC 9111 §4.4): after a non-error response to an unsafe method, or to one
 * whose safety is unknown, the target URI, and what `Location` and `Content-Location` name within the same origin.
 */
export function urisToInvalidate(
  request: { readonly method: string; readonly target: TargetUri },
  response: { readonly status: number; readonly fields: Fields },
): TargetUri[] {
  if (!changesState(request.method, response.status)) return [];
  const { target } = request;
  const uris = [target];
  for (const name of ['location', 'content-location']) {
    for (const reference of response.fields.all(name)) {
      const uri = resolveReference(target, reference);
      if (uri === null || originOf(uri) !== originOf(target)) continue;
      if (!uris.some((known) => known.path === uri.path)) uris.push(uri);
    }
  }
  return uris;
}

/** Whether a response tells of success, or redirects (2xx, 3xx), after a request that may have changed something (§4.4). */
export const changesState = (method: string, status: number): boolean =>
  status >= 200 && status < 400 && !isSafeMethod(method);
