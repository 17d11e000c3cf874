import { bytes } from '../../config/units.js';
import type { CacheKey } from '../../proxy/cache/cache-key.js';
import type { ResponseStore } from '../../proxy/cache/response-store.js';
import type { ResponseMetadata, StoredResponse } from '../../proxy/cache/stored-response.js';
import { readAll } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { metadata } from '../cache/response-store/samples.js';
import { contentOf } from './content.js';
import type { Seen } from './history.js';
import type { Stated } from './ledger.js';

/** The metadata of a response that says of itself which it is. */
export function metadataOf({ op, key, variant, version, length, groups }: Stated): ResponseMetadata {
  const fields = Fields.of({ ETag: `"${version}"`, 'X-Operation': String(op), 'X-Length': String(length) });
  return metadata({
    key: key as CacheKey,
    fields,
    groups,
    selecting: { names: ['accept-language'], values: [variant] },
  });
}

/** What a response says of itself, and what the store says of it. */
export function seenOf(stored: StoredResponse): Seen {
  const { fields, key, selecting, groups, held, complete, invalidated, freshness, id } = stored;
  return {
    op: Number(fields.first('x-operation')),
    version: Number(fields.first('etag')?.slice(1, -1)),
    length: Number(fields.first('x-length')),
    variant: selecting.values[0] ?? '',
    purged: freshness.lifetimeSource === 'purged',
    ...{ id, key, groups, held, complete, invalidated },
  };
}

/** Null: they were given and are right; otherwise how they failed to be. @throws as the body does */
export async function wrongBytes(
  store: ResponseStore,
  stored: StoredResponse,
  from: number,
  to: number,
): Promise<'not to be read' | 'not what was stored' | null> {
  if (!(await store.ready(stored, bytes(from), bytes(to)))) return 'not to be read';
  const content = await readAll(store.open(stored, bytes(from), bytes(to)), bytes(1 << 30));
  const { key, version } = seenOf(stored);
  return content.equals(contentOf(key, version, from, to)) ? null : 'not what was stored';
}
