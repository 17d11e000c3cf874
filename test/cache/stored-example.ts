import { bytes, epochMs, seconds, type EpochMs } from '../../config/units.js';
import type { ResponseDirectives } from '../../proxy/cache/cache-control.js';
import type { CacheKey } from '../../proxy/cache/cache-key.js';
import type { Freshness } from '../../proxy/cache/freshness.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { Fields } from '../../proxy/http/fields.js';

/** When the examples were received: Sat, 21 Nov 2026 04:00:00 GMT. */
export const receivedAt = epochMs(Date.UTC(2026, 10, 21, 4));

export interface Example extends Partial<Omit<StoredResponse, 'fields'>> {
  readonly fields?: Record<string, string | string[]>;
}

let examples = 0;

/** A complete stored response of ten bytes, fresh for a minute, with what a test says otherwise. */
export function stored({ fields = {}, ...rest }: Example = {}): StoredResponse {
  const length = rest.length === undefined ? bytes(10) : rest.length;
  const held = rest.held ?? [{ from: bytes(0), to: length ?? bytes(0) }];
  return {
    id: `example-${++examples}`,
    key: '|http://example.org/' as CacheKey,
    status: 200,
    reason: 'OK',
    fields: Fields.of(fields),
    selecting: { names: [], values: [] },
    requestTime: receivedAt,
    responseTime: receivedAt,
    freshness: freshForAMinute(receivedAt),
    groups: [],
    length,
    held,
    complete: rest.held === undefined,
    trailers: Fields.none,
    invalidated: false,
    ...rest,
  };
}

/** The parts [from, to) of a response of ten bytes. */
export const part = (intervals: readonly (readonly [number, number])[], example: Example = {}): StoredResponse =>
  stored({ held: intervals.map(([from, to]) => ({ from: bytes(from), to: bytes(to) })), ...example });

/** What `max-age=60` makes of a response that was received then. */
export const freshForAMinute = (responseTime: EpochMs): Freshness => ({
  lifetime: seconds(60),
  lifetimeSource: 'max-age',
  initialAge: seconds(0),
  responseTime,
  directives,
});

const directives: ResponseDirectives = {
  source: 'cache-control',
  noStore: false,
  private: false,
  noCache: false,
  public: false,
  mustRevalidate: false,
  proxyRevalidate: false,
  mustUnderstand: false,
  noTransform: false,
  maxAge: seconds(60),
  sMaxage: null,
  staleWhileRevalidate: null,
  staleIfError: null,
};
