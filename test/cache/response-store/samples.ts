import assert from 'node:assert/strict';
import { bytes, epochMs, type Bytes } from '../../../config/units.js';
import type { CacheKey } from '../../../proxy/cache/cache-key.js';
import type { ResponseDraft, ResponseStore, ResponseWriter } from '../../../proxy/cache/response-store.js';
import type { ResponseMetadata, StoredResponse } from '../../../proxy/cache/stored-response.js';
import type { SelectingFields } from '../../../proxy/cache/vary.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { freshForAMinute } from '../stored-example.js';

export interface StoreBounds {
  readonly limit: Bytes;
  readonly maxDocument: Bytes;
  readonly variants: number;
}

/** Makes an empty store with these bounds, or with bounds that none of the other tests reaches. */
export type CreateStore = (bounds?: Partial<StoreBounds>) => ResponseStore | Promise<ResponseStore>;

/** Has a new store for every test of a `describe`, closed after it. */
export function useStore(createStore: CreateStore, bounds?: Partial<StoreBounds>): () => ResponseStore {
  let store: ResponseStore | undefined;
  beforeEach(async () => {
    store = await createStore(bounds);
  });
  afterEach(async () => {
    await store?.close();
  });
  return () => {
    assert.ok(store, 'no store');
    return store;
  };
}

export const key = (path: string, scope = ''): CacheKey => `${scope}|http://example.com${path}` as CacheKey;

export const varying = (language: string | null): SelectingFields => ({
  names: ['accept-language'],
  values: [language],
});

export const metadata = (over: Partial<ResponseMetadata> = {}): ResponseMetadata => ({
  key: key('/'),
  status: 200,
  reason: 'OK',
  fields: Fields.of({ ETag: '"1"', 'Content-Type': 'text/plain' }),
  selecting: { names: [], values: [] },
  requestTime: epochMs(1_000_000),
  responseTime: epochMs(1_000_050),
  freshness: freshForAMinute(epochMs(1_000_050)),
  groups: [],
  ...over,
});

type DraftOver = Partial<Omit<ResponseDraft, 'metadata'>>;

/** A draft of a response of unknown length whose request is sent now. */
export const draft = (
  store: ResponseStore,
  over: Partial<ResponseMetadata> = {},
  place: DraftOver = {},
): ResponseDraft => ({
  metadata: metadata(over),
  generation: store.generation(),
  from: bytes(0),
  length: null,
  ...place,
});

export function begin(store: ResponseStore, over?: Partial<ResponseMetadata>, place?: DraftOver): ResponseWriter {
  const writer = store.write(draft(store, over, place));
  assert.ok(writer, 'the store takes the response');
  return writer;
}

/** Stores a whole response. */
export async function put(
  store: ResponseStore,
  content: string | Buffer,
  over?: Partial<ResponseMetadata>,
): Promise<StoredResponse> {
  const data = Buffer.from(content);
  const writer = begin(store, over, { length: bytes(data.length) });
  assert.equal(await writer.append(data), true);
  const stored = await writer.commit(Fields.none);
  assert.ok(stored, 'no stored');
  return stored;
}

/** Does it so many times, each time with the next number from 0 on, and many at once. */
export async function times(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - done) }, (_, i) => act(done + i)));
  }
}

/** Stores what a transfer brought before it broke off. */
export async function putPart(
  store: ResponseStore,
  content: string,
  place: DraftOver,
  over?: Partial<ResponseMetadata>,
): Promise<StoredResponse | null> {
  const writer = begin(store, over, place);
  assert.equal(await writer.append(Buffer.from(content)), true);
  return writer.abandon(true);
}

/** The bytes from ≤ position < to, as text; all of a complete response. */
export async function read(
  store: ResponseStore,
  stored: StoredResponse,
  from = 0,
  to: number | null = stored.length,
): Promise<string> {
  assert.ok(to !== null, 'no to');
  const body = store.open(stored, bytes(from), bytes(to));
  assert.equal(body.length, to - from);
  return (await readAll(body, bytes(1 << 30))).toString('latin1');
}

/** The only response under a key. */
export async function only(store: ResponseStore, under: CacheKey = key('/')): Promise<StoredResponse> {
  const found = await store.lookUp(under);
  assert.equal(found.length, 1);
  return found[0]!;
}

export const isStored = async (store: ResponseStore, under: CacheKey): Promise<boolean> =>
  (await store.peek(under)).length > 0;
