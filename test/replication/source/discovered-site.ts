import { milliseconds } from '../../../config/units.js';
import { BufferedBody } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import type { DiscoveryEvent } from '../../../replication/source/discovery-event.js';
import type { DiscoveryAnswer, DiscoveryRequest } from '../../../replication/source/discovery-fetch.js';
import { LinkDiscovery, type DiscoveryOptions } from '../../../replication/source/link-discovery.js';
import { FakeClock } from '../../support/fake-clock.js';

export interface SiteDocument {
  readonly status?: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly content?: string | Buffer;
}

type Answer = SiteDocument | ((request: DiscoveryRequest, signal: AbortSignal) => SiteDocument | Promise<SiteDocument>);

export const namespace = parseNamespace('http://site.test/docs/');

/** An origin server in memory, whose pages are HTML unless they say otherwise, and walks over it. */
export class DiscoveredSite {
  readonly clock = new FakeClock();
  /** `GET http://site.test/docs/` */
  readonly asked: string[] = [];
  readonly requests: DiscoveryRequest[] = [];
  /** For which time was waited. */
  readonly waited: number[] = [];
  underWay = 0;
  mostAtOnce = 0;

  /** @param documents by path; what is not there is 404 */
  constructor(readonly documents: Record<string, Answer>) {}

  /** Pages of links: `{ '/docs/': ['a', 'b'] }`. */
  static of(links: Readonly<Record<string, readonly string[]>>): DiscoveredSite {
    return new DiscoveredSite(
      Object.fromEntries(Object.entries(links).map(([path, to]) => [path, { content: page(...to) }])),
    );
  }

  options(more: Partial<DiscoveryOptions> = {}): DiscoveryOptions {
    return {
      space: { namespace, inner: [], query: 'exact' },
      fetch: (request, signal) => this.#fetch(request, signal),
      clock: this.clock,
      wait: (duration) => {
        this.waited.push(duration);
        this.clock.advance(duration);
        return Promise.resolve();
      },
      ...more,
      settings: { pace: milliseconds(0), atOnce: 1, ...more.settings },
    };
  }

  /** Walks to the end. */
  async walk(more: Partial<DiscoveryOptions> = {}): Promise<DiscoveryEvent[]> {
    const events: DiscoveryEvent[] = [];
    const walk = new LinkDiscovery(this.options(more)).walk(new AbortController().signal);
    for await (const event of walk) events.push(event);
    return events;
  }

  /** Paths that were asked for but robots.txt. */
  get paths(): string[] {
    return this.asked.map((one) => one.replace(/ http:\/\/[^/]*/, ' ')).filter((one) => one !== 'GET /robots.txt');
  }

  async #fetch(request: DiscoveryRequest, signal: AbortSignal): Promise<DiscoveryAnswer> {
    this.asked.push(`${request.method} ${request.uri}`);
    this.requests.push(request);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.underWay);
    try {
      const url = new URL(request.uri);
      const answer = this.documents[url.pathname + url.search] ?? { status: 404 };
      const {
        status = 200,
        fields = {},
        content = '',
      } = typeof answer === 'function' ? await answer(request, signal) : answer;
      const isBodiless = request.method === 'HEAD' || status === 304;
      return {
        status,
        fields: Fields.of({ 'Content-Type': 'text/html', ...fields }),
        body: isBodiless ? null : BufferedBody.from(content),
      };
    } finally {
      this.underWay--;
    }
  }
}

export const page = (...links: readonly string[]): string =>
  `<!doctype html><title>t</title>${links.map((href) => `<a href="${href}">x</a>`).join('')}`;

/** `found /docs/a`, `alias /docs/b → /docs/a`, in the order in which they came; without the end. */
export const told = (events: readonly DiscoveryEvent[]): string[] =>
  events.flatMap((event) => {
    switch (event.kind) {
      case 'found':
        return [`${event.isUnchanged ? 'unchanged' : 'found'} ${pathOf(event.document.uri)}`];
      case 'redirect':
        return [`redirect ${pathOf(event.uri)} → ${event.location}`];
      case 'alias':
        return [`alias ${pathOf(event.uri)} → ${pathOf(event.of)}`];
      case 'failed':
        return [`failed ${pathOf(event.uri)}: ${event.because}`];
      case 'forbidden':
        return [`forbidden ${pathOf(event.uri)}`];
      case 'end':
        return [];
    }
  });

export const endOf = (events: readonly DiscoveryEvent[]): DiscoveryEvent & { kind: 'end' } =>
  events.at(-1) as DiscoveryEvent & { kind: 'end' };

const pathOf = (uri: string): string => uri.replace('http://site.test', '');
