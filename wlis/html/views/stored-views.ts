import { bytes, seconds, type EpochMs } from '../../../config/units.js';
import { parseResponseDirectives } from '../../../proxy/cache/cache-control.js';
import { cacheGroups } from '../../../proxy/cache/cache-groups.js';
import { keyOfUri, type CacheKey } from '../../../proxy/cache/cache-key.js';
import type { Generation, ResponseStore, ResponseWriter } from '../../../proxy/cache/response-store.js';
import type { ResponseMetadata, StoredResponse } from '../../../proxy/cache/stored-response.js';
import { Fields } from '../../../proxy/http/fields.js';

/** A view that is to be stored. */
export interface ViewDraft {
  /** URI of the page, normalised. */
  readonly uri: string;
  /** See `ViewIdentity.key`. */
  readonly identity: string;
  readonly tag: string | null;
  /** Fields of the original: what purges its groups purges the view. */
  readonly original: Fields;
  /** From before the original was asked for. */
  readonly generation: Generation;
  readonly now: EpochMs;
}

/**
 * Views in the store, under the URIs of their pages in a scope of their own. All that is kept of one besides its bytes is its
 * entity-tag and what it is made of: its fields are made from those of the original when it is used. So they are never stale by
 * themselves; they are found as long as the original is the same, and are purged as it is.
 */
export class StoredViews {
  constructor(private readonly store: ResponseStore) {}

  /** That of a page which was made of exactly this; null if there is none, or it cannot be read. */
  find(uri: string, identity: string): StoredResponse | null | Promise<StoredResponse | null> {
    const found = this.store.lookUp(keyOf(uri));
    return found instanceof Promise
      ? found.then((views) => this.#readable(views, identity))
      : this.#readable(found, identity);
  }

  /** Begins to store one, in the place of those that have not been made for the longest. Null if the store takes none. */
  begin(draft: ViewDraft): ResponseWriter | null {
    const { generation } = draft;
    this.#makeRoom(keyOf(draft.uri));
    return this.store.write({ metadata: metadataOf(draft), generation, from: bytes(0), length: null });
  }

  #readable(
    views: readonly StoredResponse[],
    identity: string,
  ): StoredResponse | null | Promise<StoredResponse | null> {
    const view = views.find(({ complete, invalidated, selecting }) => {
      return complete && !invalidated && selecting.values[0] === identity;
    });
    if (view === undefined) return null;
    const ready = this.store.ready(view, bytes(0), view.length ?? bytes(0));
    return ready === true ? view : ready.then((is) => (is ? view : null));
  }

  /** What becomes of old ones is nobody's concern: they are found by nobody, and evicted in the end. */
  #makeRoom(key: CacheKey): void {
    const views = this.store.peek(key);
    if (views instanceof Promise) views.then((all) => this.#dropOldest(all)).catch(() => undefined);
    else this.#dropOldest(views);
  }

  #dropOldest(views: readonly StoredResponse[]): void {
    for (const old of views.slice(mostOfPage - 1)) void this.store.remove(old);
  }
}

/** Of a page as one reader, or many, have it in one coding and language; then as others have it, or had it before. */
const mostOfPage = 4;

const keyOf = (uri: string): CacheKey => keyOfUri(uri, 'view');

/** Nothing by which the cache would ever use it: no request has the field that selects it, and it is fresh for nobody. */
function metadataOf({ uri, identity, tag, original, now }: ViewDraft): ResponseMetadata {
  return {
    key: keyOf(uri),
    status: 200,
    reason: 'OK',
    fields: tag === null ? ownFields : ownFields.with('ETag', tag),
    selecting: { names: ['wlis-view'], values: [identity] },
    requestTime: now,
    responseTime: now,
    freshness: {
      lifetime: seconds(0),
      lifetimeSource: 'none',
      initialAge: seconds(0),
      responseTime: now,
      directives: parseResponseDirectives(ownFields, false),
    },
    groups: cacheGroups(original),
  };
}

const ownFields = Fields.of({ 'Cache-Control': 'private, no-cache' });
