import { bytes, milliseconds } from '../../../../config/units.js';
import { createLogger } from '../../../../proxy/base/logger.js';
import { CacheRules } from '../../../../proxy/cache/cache-rules.js';
import { CachingHandler } from '../../../../proxy/cache/caching-handler.js';
import { keyOfUri } from '../../../../proxy/cache/cache-key.js';
import { MemoryStore } from '../../../../proxy/cache/memory-store.js';
import type { ResponseStore } from '../../../../proxy/cache/response-store.js';
import type { StoredResponse } from '../../../../proxy/cache/stored-response.js';
import type { AnsweredBy } from '../../../../proxy/forward/answered-by.js';
import type { IncomingResponse, OutgoingRequest } from '../../../../proxy/forward/upstream.js';
import { BufferedBody, type Body } from '../../../../proxy/http/body.js';
import { Fields } from '../../../../proxy/http/fields.js';
import type { Request, Response } from '../../../../proxy/http/message.js';
import type { ViewSpace } from '../../../../wlis/html/views/navigation.js';
import type { ViewRecipe } from '../../../../wlis/html/view-recipe.js';
import { Views, type RecipeFor } from '../../../../wlis/html/views/views.js';
import { received, visitor, type Received } from '../../../replication/serving/held-example.js';
import { FakeClock } from '../../../support/fake-clock.js';

export const pageUri = 'http://docs.example.org/manual/index.html';

export const page =
  '<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Manual</title></head>\n<body><p>Welcome. <a href="more.html">More</a></p></body></html>\n';

/** Of a browser that shows a page; the same over plain http, where it says less. */
export const navigation = {
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
};
export const plainNavigation = { Accept: navigation.Accept, 'Upgrade-Insecure-Requests': '1' };

export const recipeWith = (text: string): ViewRecipe => ({
  duplicates: [{ url: 'http://m1.example/raw/x', area: null }],
  bar: { markup: `<willis-bar>${text}</willis-bar>`, formAction: null },
  urls: null,
});

type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface OriginAnswer {
  readonly status?: number;
  readonly fields?: Headers;
  readonly body?: Body | Buffer | string | null;
  readonly answeredBy?: AnsweredBy;
}

export interface ViewFixtureOptions {
  readonly store?: ResponseStore;
  readonly clock?: FakeClock;
}

/** Views before a cache before an origin server that answers what a test says. */
export class ViewFixture {
  readonly clock: FakeClock;
  readonly store: ResponseStore;
  readonly views: Views;
  readonly cache: CachingHandler;
  /** What was asked of the origin server. */
  readonly asked: OutgoingRequest[] = [];
  origin: (request: OutgoingRequest) => OriginAnswer | Promise<OriginAnswer> = () => ({});
  space: ViewSpace = 'proxy';
  recipe: RecipeFor = () => this.#recipe;
  readonly #recipe = recipeWith('one');

  constructor({ store, clock = new FakeClock() }: ViewFixtureOptions = {}) {
    this.clock = clock;
    this.store = store ?? new MemoryStore({ limit: bytes(64_000_000), maxDocument: bytes(16_000_000), variants: 32 });
    const logger = createLogger({ level: 'silent', write: () => undefined });
    this.cache = new CachingHandler({
      ...{ name: 'proxy', via: () => '1.1 proxy', clock, logger, rules: new CacheRules([]), store: this.store },
      freshness: { heuristicFraction: 0.1, heuristicMax: milliseconds(86_400_000), negative: milliseconds(0) },
      collapseWait: milliseconds(1000),
    });
    this.views = new Views({ store: this.store, clock, logger });
  }

  /** As a client gets it. */
  answer(fields: Headers = navigation, over: Partial<Request> = {}): Response | Promise<Response> {
    const { uri = pageUri, ...rest } = over as Partial<Request> & { uri?: string };
    const request: Request = { ...visitor(uri, { method: rest.method ?? 'GET' }), ...rest, fields: Fields.of(fields) };
    return this.views.answer(request, this.space, (asked) => this.original(asked), this.recipe);
  }

  async ask(fields: Headers = navigation, over: Partial<Request> & { uri?: string } = {}): Promise<Received> {
    return received(this.answer(fields, over));
  }

  /** What the node would answer without views. */
  original(request: Request): Response | Promise<Response> {
    const { target, fields } = request;
    return this.cache.handle(request, {
      ...{ scope: '' as const, actsForOrigin: false },
      upstream: { forward: (outgoing) => this.#forwarded(outgoing), close: () => Promise.resolve() },
      outgoing: () => ({ target, fields: fields.plus('Host', target.authority) }),
    });
  }

  /** Views that are stored of a page. */
  stored(uri = pageUri): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    return this.store.peek(keyOfUri(uri, 'view'));
  }

  async #forwarded(request: OutgoingRequest): Promise<IncomingResponse> {
    this.asked.push(request);
    const { status = 200, fields = {}, body = page, answeredBy } = await this.origin(request);
    const usual = { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=60' };
    return {
      ...{ status, reason: 'OK', version: '1.1' },
      fields: Fields.of({ ...usual, ...fields }),
      body: status === 304 ? null : typeof body === 'string' || Buffer.isBuffer(body) ? BufferedBody.from(body) : body,
      ...(answeredBy === undefined ? {} : { answeredBy }),
    };
  }
}

/** A body in those chunks, each of which comes in a turn of its own; `null` where it breaks. */
export class ChunkedBody implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  wasCancelled = false;
  reads = 0;
  readonly #chunks: Iterator<Buffer>;

  constructor(chunks: Iterable<Buffer>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  async read(): Promise<Buffer | null> {
    await new Promise((resolve) => setImmediate(resolve));
    this.reads++;
    if (this.wasCancelled) return null;
    const next = this.#chunks.next();
    return next.done === true ? null : next.value;
  }

  cancel(): void {
    this.wasCancelled = true;
  }
}
