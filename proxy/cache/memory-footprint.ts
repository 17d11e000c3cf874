import { bytes, type Bytes } from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import type { SparseBody } from './sparse-body.js';
import type { ResponseMetadata } from './stored-response.js';

/*
 * What things take beside their characters and bytes, fitted to the growth of the resident set over 100,000 responses
 * with 0, 10 and 20 field lines and bodies of 0, 1 and 4 KiB (Node 20, x64): within 10 % of it in all of them.
 */
/** The objects of one response, their place in the store's table, and what the collector keeps free. */
const perResponse = 1500;
/** Two string headers and two slots of the list of lines. */
const perLine = 64;
/** A buffer, its backing store and the allocator's share. */
const perChunk = 500;
const perInterval = 100;

/** What a stored response takes beside its bytes and trailers: key, fields, selecting fields, groups, objects. */
export function headFootprint(metadata: ResponseMetadata): Bytes {
  let total = perResponse + metadata.key.length + metadata.reason.length + fieldsFootprint(metadata.fields);
  const { names, values } = metadata.selecting;
  for (const name of names) total += perLine + name.length;
  for (const value of values) total += value?.length ?? 0;
  // once with the response, once in the index with its origin and a table of keys
  if (metadata.contentName !== undefined) total += perLine;
  if (metadata.source != null) total += 4 * perLine + metadata.source.url.length;
  for (const group of metadata.groups) total += 4 * perLine + metadata.key.length + 2 * group.length;
  return bytes(total);
}

/** Names and values are counted twice: as the lines they came in, and as the text that `Fields.wire` keeps. */
export function fieldsFootprint({ lines }: Fields): Bytes {
  let total = (lines.length / 2) * perLine;
  for (const text of lines) total += text.length * 2;
  return bytes(total);
}

export const bodyFootprint = (body: SparseBody): Bytes =>
  bytes(body.size + body.chunks.length * perChunk + body.held.length * perInterval);
