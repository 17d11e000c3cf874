import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import { parseRange } from '../../proxy/http/range.js';
import type { CanonicalUri } from '../canonical-uri.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import { bytes, type Bytes } from '../../config/units.js';
import { SMALLEST_BLOCK } from '../trust/block-list.js';
import type { KnownDocument } from './known-document.js';

/** A GET or HEAD request for a document of a namespace. */
export interface AskedDocument {
  readonly request: OutgoingRequest;
  readonly known: KnownNamespace;
  readonly uri: CanonicalUri;
  /** Inside the namespace, with its query. */
  readonly path: string;
  /** Whether it had credentials, which are dropped: nobody is then asked to forward it (protocol decision 4). */
  readonly isStripped: boolean;
}

/** How a node is asked for it. */
export interface RawQuestion {
  readonly method: 'GET' | 'HEAD';
  /** Where the bytes begin and end that are asked for; null for all of them, or none. */
  readonly range: { readonly from: Bytes; readonly to: Bytes | null } | null;
}

/**
 * Bytes are asked for in whole blocks. Where their size is not known yet they are taken to be the smallest, which they are in
 * contents of up to 256 MiB; what is wanted in any other way than as one range is asked for when the record is there.
 * @param last what was believed of the URI before
 */
export function rawQuestion({ method, fields }: OutgoingRequest, last: KnownDocument | null): RawQuestion {
  if (method === 'HEAD') return { method: 'HEAD', range: null };
  const value = fields.get('range');
  if (value === undefined) return { method: 'GET', range: null };
  const specs = parseRange(value);
  if (specs === null) return { method: 'GET', range: null };
  const [first] = specs;
  if (specs.length !== 1 || first?.kind !== 'positions' || fields.has('if-range'))
    return { method: 'HEAD', range: null };
  const blockSize = last?.prepared?.variantFor(fields).variant?.blockSize ?? SMALLEST_BLOCK;
  const from = Math.floor(first.from / blockSize) * blockSize;
  const to = first.to === null ? null : Math.ceil(first.to / blockSize) * blockSize;
  if (!Number.isSafeInteger(from) || (to !== null && !Number.isSafeInteger(to))) return { method: 'HEAD', range: null };
  return { method: 'GET', range: { from: bytes(from), to: to === null ? null : bytes(to) } };
}

/** Fields of a request that a node is sent: those by which documents are selected, and by which intermediaries know each other. */
export function askedFields({ request: { fields }, isStripped }: AskedDocument, { range }: RawQuestion): string[] {
  const lines = [...fields.filter((name) => passedOn.has(name)).lines];
  const directives = fields.all('cache-control');
  if (isStripped) directives.push('only-if-cached');
  if (directives.length > 0) lines.push('Cache-Control', directives.join(', '));
  if (range !== null) lines.push('Range', `bytes=${range.from}-${range.to === null ? '' : range.to - 1}`);
  return lines;
}

/** Never anything that says who asks: `Cookie`, `Authorization`, `Referer`, `User-Agent`. */
const passedOn: ReadonlySet<string> = new Set([
  ...['accept', 'accept-encoding', 'accept-language', 'if-none-match', 'if-modified-since'],
  ...['via', 'cdn-loop', 'pragma'],
]);
