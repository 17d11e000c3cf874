import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { parseEntityTag, stronglyEqual, type EntityTag } from '../../proxy/http/entity-tag.js';
import type { Fields } from '../../proxy/http/fields.js';
import { parseHttpDate } from '../../proxy/http/http-date.js';
import { isStrongLastModified } from '../../proxy/http/preconditions.js';
import { parseContentRange } from '../../proxy/http/range.js';
import type { Digest } from '../trust/digest.js';
import { reprDigestIn } from './said-digest.js';

/** What an answer says of the bytes that it, or the answer without a range, would bring. */
export interface DocumentVersion {
  /** Of all of them, whatever part an answer has. */
  readonly length: Bytes | null;
  /** SHA-256 of all of them. */
  readonly digest: Digest | null;
  /** A strong one; null for none and for a weak one. */
  readonly entityTag: EntityTag | null;
  /** Null for none, and for one so young that a second change could hide behind it (RFC 9110 §8.8.2.2). */
  readonly lastModified: EpochMs | null;
  /** `Content-Encoding`, lower case; empty for none. */
  readonly coding: string;
}

/** From the head of a 200 or 206. @param method that was answered: GET or HEAD */
export function versionIn(
  { status, fields }: { readonly status: number; readonly fields: Fields },
  method: string,
  now: EpochMs,
): DocumentVersion {
  const tag = parseEntityTag(fields.first('etag') ?? '');
  const lastModified = fields.first('last-modified') ?? null;
  const isStrong = isStrongLastModified({ lastModified, date: fields.first('date') ?? null, now });
  return {
    length: wholeLength(status, fields),
    digest: reprDigestIn(fields, status === 200 && method === 'GET'),
    entityTag: tag === null || tag.weak ? null : tag,
    lastModified: isStrong ? parseHttpDate(lastModified ?? '', now) : null,
    coding: (fields.get('content-encoding') ?? '').toLowerCase(),
  };
}

/** Whether there is anything to compare others with. */
export const isComparable = ({ length, digest, entityTag, lastModified }: DocumentVersion): boolean =>
  length !== null && (digest !== null || entityTag !== null || lastModified !== null);

/** A digest that was said with the same version before holds for it still. */
export function withDigestOf(version: DocumentVersion, before: DocumentVersion | null): DocumentVersion {
  if (version.digest !== null || before?.digest == null) return version;
  const { length, entityTag, coding } = version;
  const isSame =
    entityTag !== null &&
    before.entityTag?.opaque === entityTag.opaque &&
    before.length === length &&
    before.coding === coding;
  return isSame ? { ...version, digest: before.digest } : version;
}

export type Comparison =
  /** `content`: only a digest of all bytes will tell; whoever sends them on compares it. */
  | { readonly equal: true; readonly by: 'digest' | 'entity-tag' | 'last-modified' | 'content' }
  | { readonly equal: false; readonly because: string };

export interface Wanted {
  /** Whether all bytes are asked for, so that their digest can be compared. */
  readonly isWhole: boolean;
  /** Whether nothing but a digest counts: anybody on the way could have written the validators. */
  readonly byDigestOnly: boolean;
}

/** Of a document that is compared before anything of it goes on, by its digest: nothing else need speak for it. */
export const comparedAtOnce = bytes(65_536);

/** Whether what a mirror answers is the version that the original has. */
export function compare(original: DocumentVersion, mirrored: DocumentVersion, wanted: Wanted): Comparison {
  const { length, digest, coding } = original;
  if (mirrored.coding !== coding) return unequal(`another coding: ${mirrored.coding || 'none'}`);
  if (length === null || mirrored.length === null) return unequal('no length');
  if (mirrored.length !== length) return unequal(`another length: ${mirrored.length} instead of ${length}`);
  if (digest !== null && mirrored.digest !== null) {
    return digest === mirrored.digest ? { equal: true, by: 'digest' } : unequal('another digest');
  }
  const isOlder = differ(original.lastModified, mirrored.lastModified);
  if (digest !== null && wanted.isWhole && (length <= comparedAtOnce || !isOlder)) {
    return { equal: true, by: 'content' };
  }
  return wanted.byDigestOnly ? unequal('no digest, and no TLS') : byValidators(original, mirrored);
}

function byValidators(original: DocumentVersion, mirrored: DocumentVersion): Comparison {
  const { entityTag, lastModified } = original;
  if (entityTag !== null && mirrored.entityTag !== null && stronglyEqual(entityTag, mirrored.entityTag)) {
    return { equal: true, by: 'entity-tag' };
  }
  if (lastModified !== null && lastModified === mirrored.lastModified) return { equal: true, by: 'last-modified' };
  return unequal(differ(lastModified, mirrored.lastModified) ? 'modified at another time' : 'no validators');
}

const unequal = (because: string): Comparison => ({ equal: false, because });

const differ = (a: EpochMs | null, b: EpochMs | null): boolean => a !== null && b !== null && a !== b;

function wholeLength(status: number, fields: Fields): Bytes | null {
  if (status === 206) {
    const range = parseContentRange(fields.get('content-range') ?? '');
    return range === null || 'unsatisfied' in range ? null : range.length;
  }
  const said = fields.get('content-length');
  if (said === undefined || !/^\d{1,15}$/.test(said)) return null;
  return bytes(Number(said));
}
