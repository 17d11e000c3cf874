import { Fields } from '../http/fields.js';
import { parseEntityTag } from '../http/entity-tag.js';
import type { StoredResponse } from './stored-response.js';

/**
 * The fields of a stored response after an update (RFC 9111 §3.2), for a 304, for a HEAD (§4.3.5) and for combining parts
 * (§3.4): each field of the newer response replaces all lines of that name, except those that belong to the stored bytes
 * or to the newer message alone. What is given is fit to be stored already: without hop-by-hop fields and others that
 * §3.1 excludes, and with `Date`.
 */
export function freshenedFields(stored: Fields, newer: Fields): Fields {
  const update = newer.filter((name, value) => !kept.has(name) && !(name === 'etag' && isWeakerForm(stored, value)));
  const replaced = update.names();
  return new Fields([...stored.filter((name) => !replaced.has(name)).lines, ...update.lines]);
}

/**
 * Of the message, not of the representation (Content-Length by §3.2, Content-Range, Transfer-Encoding, Trailer, Age), or
 * describing the stored bytes, which do not change: to update these would falsify them (§3.2, "integrity").
 */
const kept: ReadonlySet<string> = new Set([
  'content-length',
  'content-range',
  'transfer-encoding',
  'trailer',
  'age',
  'content-encoding',
  'content-md5',
  'content-digest',
]);

/** The weak form of a strong entity-tag says less than is known: the bytes are those that the strong one named. */
function isWeakerForm(stored: Fields, newer: string): boolean {
  const written = stored.first('etag') ?? '';
  if (written === newer) return false;
  const mine = parseEntityTag(written);
  const theirs = parseEntityTag(newer);
  return mine !== null && theirs !== null && !mine.weak && theirs.weak && mine.opaque === theirs.opaque;
}

/**
 * Whether a 200 to HEAD agrees with a stored response that it could have selected, which is then updated; if not, the
 * stored one is to be taken as stale (RFC 9111 §4.3.5). Every validator that comes must be the stored one; none at all,
 * where some are stored, proves nothing: validation by GET is to be had then.
 */
export function canFreshenFromHead(
  stored: StoredResponse,
  headResponse: { readonly status: number; readonly fields: Fields },
): boolean {
  const { fields } = headResponse;
  if (headResponse.status !== 200 || stored.status !== 200) return false;
  const received = validatorFields.filter((name) => fields.has(name));
  if (received.some((name) => fields.first(name) !== stored.fields.first(name))) return false;
  if (received.length === 0 && validatorFields.some((name) => stored.fields.has(name))) return false;
  const length = fields.first('content-length');
  return length === undefined || (stored.length !== null && length === String(stored.length));
}

const validatorFields = ['etag', 'last-modified'];
