import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import type { Fields } from '../../proxy/http/fields.js';
import { parseRange, type ByteRange } from '../../proxy/http/range.js';

/**
 * Whether mirrors may have a part in answering: for a GET or HEAD of what everybody may have. What bears credentials is for
 * the original alone, and so are preconditions that protect it, and several ranges at a time.
 */
export function isForMirrors({ method, fields, body }: OutgoingRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (body !== null && body.length !== 0) return false;
  if (forTheOriginal.some((name) => fields.has(name))) return false;
  return (parseRange(fields.get('range') ?? '')?.length ?? 0) <= 1;
}

const forTheOriginal = ['authorization', 'cookie', 'if-match', 'if-unmodified-since'];

/** Whether a request asks whether something has changed. */
export const isConditional = (fields: Fields): boolean =>
  fields.has('if-none-match') || fields.has('if-modified-since');

/** The fields of a request as a mirror gets it: without what tells whence a client comes, or is between it and the original. */
export const fieldsForMirror = (fields: Fields): Fields =>
  fields.filter((name) => !personal.has(name) && !name.startsWith('wlis-'));

/** The same for certain bytes, whatever the client said of parts and conditions. */
export function fieldsForBytes(fields: Fields, range: ByteRange | null, coding: string): Fields {
  const plain = fieldsForMirror(fields).without('if-none-match', 'if-modified-since', 'if-range', 'range');
  const coded = coding === '' ? plain.with('Accept-Encoding', 'identity') : plain;
  return range === null ? coded : coded.with('Range', `bytes=${range.from}-${range.to - 1}`);
}

/** The fields of an answer as a mirror gave it, without what reaches beyond the document, into the origin of the original. */
export const fieldsOfMirror = (fields: Fields): Fields =>
  fields.filter((name) => !beyond.has(name) && !name.startsWith('wlis-'));

const personal: ReadonlySet<string> = new Set(['cookie', 'authorization', 'referer', 'origin', 'from']);

const beyond: ReadonlySet<string> = new Set([
  ...['alt-svc', 'clear-site-data', 'expect-ct', 'nel', 'public-key-pins', 'report-to', 'reporting-endpoints'],
  ...[
    'service-worker-allowed',
    'set-cookie',
    'set-cookie2',
    'strict-transport-security',
    'refresh',
    'www-authenticate',
  ],
]);
