import { parseResponseDirectives } from '../../../proxy/cache/cache-control.js';
import { lowerCaseName } from '../../../proxy/http/field-names.js';
import { trimOws, type Fields } from '../../../proxy/http/fields.js';
import type { Response } from '../../../proxy/http/message.js';

/** A content coding that can be undone and redone (RFC 9110 §8.4.1). */
export type ViewCoding = 'identity' | 'gzip' | 'deflate' | 'br';

/** Whether an answer may become a view as far as its head says, or why it is sent as it is. */
export type Viewable =
  | { readonly kind: 'viewable'; readonly coding: ViewCoding; readonly contentType: string }
  | { readonly kind: 'original'; readonly because: OriginalReason };

export type OriginalReason =
  'status' | 'no-content' | 'media-type' | 'no-transform' | 'disposition' | 'signed' | 'content-coding' | 'partial';

/**
 * - 200 with content, `text/html` said once, the whole of it;
 * - nobody has forbidden to change it (`no-transform`, RFC 9111 §5.2.2.6), or has signed it (RFC 9421), whereby it would be
 *   false;
 * - it is to be shown and not to be saved (`Content-Disposition`, RFC 6266 §4.2: what is not known counts as to be saved);
 * - none or one coding, of those that can be undone.
 */
export function viewable({ status, fields, body }: Pick<Response, 'status' | 'fields' | 'body'>): Viewable {
  if (status !== 200) return original('status');
  const said = saidBy(fields);
  const isEmpty = body === null || body.length === 0;
  return isEmpty && (said.kind === 'viewable' || said.because !== 'media-type') ? original('no-content') : said;
}

/** Of fields that answers of the store begin with; the same object as long as they are stored. */
const saidByStored = new WeakMap<Fields, Viewable>();

function saidBy(fields: Fields): Viewable {
  const { begun, lines } = fields;
  if (begun === null || saysMore(lines, begun.lines.length)) return read(fields);
  const known = saidByStored.get(begun);
  if (known !== undefined) return known;
  const said = read(begun);
  saidByStored.set(begun, said);
  return said;
}

/** Whether lines from a position on have a part in what becomes of a page, or in what it is known by. */
function saysMore(lines: readonly string[], from: number): boolean {
  for (let i = from; i < lines.length; i += 2) if (isOfPage.test(lowerCaseName(lines[i] as string))) return true;
  return false;
}

const isOfPage = /^(?:content-(?!length$)|cache-control$|signature|etag$|last-modified$)/;

function read(fields: Fields): Viewable {
  const contentType = fields.get('content-type') ?? '';
  if (!isHtml.test(contentType)) return original('media-type');
  if (fields.has('content-range')) return original('partial');
  if (parseResponseDirectives(fields, false).noTransform) return original('no-transform');
  if (fields.has('signature-input') || fields.has('signature')) return original('signed');
  const disposition = fields.get('content-disposition');
  if (disposition !== undefined && !isInline.test(disposition)) return original('disposition');
  const coding = codingOf(fields.get('content-encoding'));
  return coding === null ? original('content-coding') : { kind: 'viewable', coding, contentType };
}

const original = (because: OriginalReason): Viewable => ({ kind: 'original', because });

const isHtml = /^text\/html[ \t]*(?:;[^,]*)?$/i;
const isInline = /^inline[ \t]*(?:;|$)/i;

function codingOf(value: string | undefined): ViewCoding | null {
  if (value === undefined) return 'identity';
  return codings.get(trimOws(value).toLowerCase()) ?? null;
}

const codings: ReadonlyMap<string, ViewCoding> = new Map([
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
]);

/** Whether a member of `Accept-Encoding` names something that can be undone. */
export const isUndone = (coding: string): boolean => codings.has(coding);
