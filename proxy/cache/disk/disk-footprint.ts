import { bytes, type Bytes } from '../../../config/units.js';
import type { Fields } from '../../http/fields.js';
import type { ResponseMetadata } from '../stored-response.js';

/** Times, directives, places of the bytes, the record of its last use, and what the index adds to each. */
const perResponse = 768;
const perLine = 8;
const perGroup = 48;

/** What the record of a response counts against the limit of a store; the same for all versions with the same fields. */
export function recordSize(metadata: ResponseMetadata, trailers: Fields): Bytes {
  const { key, reason, fields, selecting, groups, source, contentName } = metadata;
  let total = perResponse + 2 * key.length + reason.length + linesSize(fields) + linesSize(trailers);
  for (const name of selecting.names) total += perLine + name.length;
  for (const value of selecting.values) total += value?.length ?? 0;
  for (const group of groups) total += perGroup + 2 * group.length + 2 * key.length;
  if (contentName !== undefined) total += perLine + contentName.length;
  if (source != null) total += 4 * perLine + source.url.length + (source.version?.epoch.length ?? 0);
  return bytes(total);
}

export function linesSize({ lines }: Fields): Bytes {
  let total = 0;
  for (const text of lines) total += perLine / 2 + text.length;
  return bytes(total);
}
