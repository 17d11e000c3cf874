import type { EpochMs } from '../../config/units.js';
import { parseEntityTag } from '../http/entity-tag.js';
import type { Fields } from '../http/fields.js';
import { isStrongLastModified } from '../http/preconditions.js';

/**
 * The validator of a stored response that changes with every change of its bytes (RFC 9110 §8.8.1), as it would stand in
 * `If-Range`: a strong entity-tag; without any entity-tag (§13.1.5) a `Last-Modified` that is strong (§8.8.2.2). Null if
 * there is none.
 */
export function strongValidatorOf(fields: Fields, now: EpochMs): string | null {
  const etag = fields.first('etag');
  if (etag !== undefined) {
    const tag = parseEntityTag(etag);
    return tag === null || tag.weak ? null : etag;
  }
  const lastModified = fields.first('last-modified') ?? null;
  return isStrongLastModified({ lastModified, date: fields.first('date') ?? null, now }) ? lastModified : null;
}
