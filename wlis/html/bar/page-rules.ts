import type { Config } from '../../../config/schema.js';
import { uriTest } from '../../../config/uri-pattern.js';

type WrittenRules = Config['clientSide']['html'];

/** What is to become of a page. */
export interface PageWishes {
  readonly alternates: boolean;
  readonly bar: boolean;
  readonly links: boolean;
}

/** What the operator of a client-side proxy wants to be made of pages: what holds for all, and the first rule that matches. */
export class PageRules {
  readonly #usual: PageWishes;
  readonly #rules: readonly { readonly wishes: PageWishes; readonly matches: (uri: string) => boolean }[];

  constructor({ rules, ...usual }: WrittenRules) {
    this.#usual = usual;
    this.#rules = rules.map(({ match, alternates, bar, links }) => ({
      matches: uriTest(match),
      wishes: {
        alternates: alternates ?? usual.alternates,
        bar: bar ?? usual.bar,
        links: links ?? usual.links,
      },
    }));
  }

  /** Whether pages are all left as they are. */
  get leavesAll(): boolean {
    return [this.#usual, ...this.#rules.map(({ wishes }) => wishes)].every(
      ({ alternates, bar, links }) => !alternates && !bar && !links,
    );
  }

  /** @param uri as the reader asks for it; its query does not count */
  of(uri: string): PageWishes {
    if (this.#rules.length === 0) return this.#usual;
    const query = uri.indexOf('?');
    const asked = query === -1 ? uri : uri.slice(0, query);
    return this.#rules.find(({ matches }) => matches(asked))?.wishes ?? this.#usual;
  }
}
