import MiniSearch, { type SearchOptions } from 'minisearch';
import { bytes, type Bytes } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import type { Digest } from '../trust/digest.js';
import { packed, unpacked, type PageText } from './packed-text.js';
import { compareText, compareValue } from './page-value.js';
import type { SearchQuery } from './search-query.js';
import { isWholeSoon, termsIn } from './search-words.js';
import { snippetOf, type SnippetPiece } from './snippet.js';

/** Where a page is. */
export interface PagePlace {
  readonly namespace: Namespace;
  /** As records have it. */
  readonly path: string;
}

export interface SearchablePage extends PagePlace, PageText {
  /** Of its content. */
  readonly digest: Digest;
  readonly title: string;
}

/** `displaced`: pages that had to make room. */
export type PutOutcome =
  { readonly kind: 'indexed'; readonly displaced: readonly PagePlace[] } | { readonly kind: 'left-out' };

export interface IndexUsage {
  readonly documents: number;
  /** What it takes in memory, as far as that can be counted. */
  readonly bytes: Bytes;
  readonly limit: Bytes;
}

export interface FoundPage extends PagePlace {
  readonly title: string;
  readonly score: number;
  readonly snippet: readonly SnippetPiece[];
}

/** `match`: what these have in common: all the words as they are, words like them, or some of the words. */
export interface FoundPages {
  readonly match: 'all' | 'similar' | 'some';
  readonly total: number;
  readonly pages: readonly FoundPage[];
}

/** To answer a question takes longer than anybody waits for that. */
export class TooCostly extends Error {
  override readonly name = 'TooCostly';
}

/**
 * Finds pages by their words, in bounded memory. Where that is full, pages of the namespace that takes most of it make room,
 * the least valuable first (`compareValue`).
 */
export class PageIndex {
  readonly #words = new MiniSearch<IndexedWords>({
    fields: ['title', 'headings', 'text'],
    tokenize: (text) => this.#terms.get(text) ?? termsIn(text),
    processTerm: (term) => term,
    autoVacuum: false,
    logger: () => undefined,
  });
  readonly #pages = new Map<number, Page>();
  /** Of the fields of the page that is being added. */
  readonly #terms = new Map<string, string[]>();
  readonly #spaces = new Map<Namespace, Space>();
  #limit: Bytes;
  #nextId = 0;
  /** Of all pages, without the terms. */
  #bytes = 0;
  #postings = 0;
  /** So many there were, and so many postings, when the terms were counted last. */
  #counted = { terms: 0, postings: 0 };

  constructor(limit: Bytes) {
    this.#limit = limit;
  }

  get usage(): IndexUsage {
    return { documents: this.#pages.size, bytes: bytes(Math.round(this.#used)), limit: this.#limit };
  }

  /** Takes a page in place of what was there. */
  put(page: SearchablePage): PutOutcome {
    this.remove(page);
    const added = this.#add(page);
    const displaced: PagePlace[] = [];
    while (this.#used > this.#limit) {
      const least = this.#least();
      if (least === null) break;
      this.#forget(least);
      if (least === added) return { kind: 'left-out' };
      displaced.push({ namespace: least.namespace, path: least.path });
    }
    return { kind: 'indexed', displaced };
  }

  remove({ namespace, path }: PagePlace): void {
    const page = this.#spaces.get(namespace)?.pages.get(path);
    if (page !== undefined) this.#forget(page);
  }

  /** Forgets all of a namespace. */
  drop(namespace: Namespace): Promise<void> {
    const space = this.#spaces.get(namespace);
    if (space === undefined) return Promise.resolve();
    for (const page of space.pages.values()) {
      this.#words.discard(page.id);
      this.#uncount(page);
    }
    this.#spaces.delete(namespace);
    // in slices; nothing of it is found meanwhile
    return this.#words.vacuum({ batchSize: 2000, batchWait: 1 }).then(() => this.#countTerms());
  }

  /** @returns the pages that had to go */
  resize(limit: Bytes): readonly PagePlace[] {
    this.#limit = limit;
    const displaced: PagePlace[] = [];
    for (let least = this.#least(); least !== null && this.#used > limit; least = this.#least()) {
      this.#forget(least);
      displaced.push({ namespace: least.namespace, path: least.path });
    }
    return displaced;
  }

  /**
   * @param namespaces nothing is found elsewhere
   * @param isLate whether nobody waits any more; is asked now and then
   * @throws TooCostly once it is
   */
  search(
    { terms, offset, limit }: SearchQuery,
    namespaces: ReadonlySet<Namespace>,
    isLate: () => boolean = () => false,
  ): FoundPages {
    const watch = watched(isLate);
    for (const match of ['all', 'similar', 'some'] as const) {
      const found =
        terms.length === 0 ? [] : this.#found(terms, { ...searchOptions[match], boostDocument: watch }, namespaces);
      if (found.length === 0 && match !== 'some') continue;
      const shown = found.slice(offset, offset + limit);
      let budget = mostScanned;
      const pages = shown.map(({ page, score, terms: its }): FoundPage => {
        const { text, description } = unpacked(page.packed);
        const most = Math.min(text.length, budget);
        budget -= most;
        const snippet = snippetOf(text === '' ? description : text, { terms: its, most });
        return { namespace: page.namespace, path: page.path, title: page.title, score, snippet };
      });
      return { match, total: found.length, pages };
    }
    return { match: 'all', total: 0, pages: [] };
  }

  /** The best first, each content of a namespace once. */
  #found(terms: readonly string[], options: SearchOptions, namespaces: ReadonlySet<Namespace>): readonly Hit[] {
    const byContent = new Map<string, Hit>();
    for (const { id, score, match: its } of this.#words.search(terms.join(' '), options)) {
      const page = this.#pages.get(id as number);
      if (page === undefined || !namespaces.has(page.namespace)) continue;
      const content = `${page.digest} ${page.namespace}`;
      const other = byContent.get(content);
      if (other !== undefined && compareValue(other.page, page) > 0) continue;
      byContent.set(content, { page, score: Math.round(score * 1e4) / 1e4, terms: new Set(Object.keys(its)) });
    }
    return [...byContent.values()].sort(better);
  }

  #add(page: SearchablePage): Page {
    const { namespace, path, digest, title, headings, text } = page;
    const content = packed(page);
    const id = this.#nextId++;
    const fields = [title, headings, text];
    for (const field of fields) this.#terms.set(field, termsIn(field));
    this.#words.add({ id, title, headings, text });
    const postings = fields.reduce((sum, field) => sum + new Set(this.#terms.get(field)).size, 0);
    this.#terms.clear();
    const size = perPage + 2 * (path.length + title.length) + content.length + postings * perPosting;
    const added: Page = { id, namespace, path, digest, title, packed: content, postings, bytes: size };
    this.#pages.set(id, added);
    const space = this.#spaces.get(namespace) ?? { pages: new Map<string, Page>(), bytes: 0 };
    this.#spaces.set(namespace, space);
    space.pages.set(path, added);
    space.bytes += size;
    this.#bytes += size;
    this.#postings += postings;
    if (Math.abs(this.#postings - this.#counted.postings) > Math.max(500, this.#counted.postings / 8)) {
      this.#countTerms();
    }
    return added;
  }

  #forget(page: Page): void {
    const { id, title } = page;
    const { headings, text } = unpacked(page.packed);
    this.#words.remove({ id, title, headings, text });
    this.#uncount(page);
    const space = this.#spaces.get(page.namespace);
    space?.pages.delete(page.path);
    if (space?.pages.size === 0) this.#spaces.delete(page.namespace);
  }

  #uncount(page: Page): void {
    this.#pages.delete(page.id);
    this.#bytes -= page.bytes;
    this.#postings -= page.postings;
    const space = this.#spaces.get(page.namespace);
    if (space !== undefined) space.bytes -= page.bytes;
  }

  /** Terms are counted now and then, which takes a while; those since then are taken to be as many as among the others. */
  get #used(): number {
    const { terms, postings } = this.#counted;
    const since = this.#postings - postings;
    return this.#bytes + perTerm * Math.max(0, terms + since * (postings === 0 ? 0.3 : terms / postings));
  }

  #countTerms(): void {
    this.#counted = { terms: this.#words.termCount, postings: this.#postings };
  }

  /** The page that is to go first. */
  #least(): Page | null {
    let largest: Space | null = null;
    for (const space of this.#spaces.values()) if (largest === null || space.bytes > largest.bytes) largest = space;
    let least: Page | null = null;
    for (const page of largest?.pages.values() ?? []) {
      if (least === null || compareValue(page, least) < 0) least = page;
    }
    return least;
  }
}

interface IndexedWords {
  readonly id: number;
  readonly title: string;
  readonly headings: string;
  readonly text: string;
}

interface Page extends PagePlace {
  readonly id: number;
  readonly digest: Digest;
  readonly title: string;
  readonly packed: Buffer;
  readonly postings: number;
  readonly bytes: number;
}

interface Space {
  readonly pages: Map<string, Page>;
  bytes: number;
}

interface Hit {
  readonly page: Page;
  readonly score: number;
  readonly terms: ReadonlySet<string>;
}

/** Nothing about their order depends on when they came in. */
const better = (a: Hit, b: Hit): number =>
  b.score - a.score || compareValue(b.page, a.page) || compareText(a.page.namespace, b.page.namespace);

/** What is typed last may not be finished. */
const isPrefix = (term: string, at: number, terms: readonly string[]): boolean =>
  isWholeSoon(term) ? /^.\p{M}*$/su.test(term) : at === terms.length - 1 && term.length >= 3;

const shared: SearchOptions = {
  tokenize: (text) => text.split(' '),
  boost: { title: 6, headings: 2.5 },
  weights: { prefix: 0.6, fuzzy: 0.3 },
  maxFuzzy: 2,
};

const searchOptions: Readonly<Record<FoundPages['match'], SearchOptions>> = {
  all: { ...shared, combineWith: 'AND', prefix: isPrefix },
  similar: {
    ...shared,
    combineWith: 'AND',
    prefix: (term) => term.length >= 3,
    fuzzy: (term) => (term.length >= 5 ? 2 : term.length === 4 ? 1 : false),
  },
  some: { ...shared, combineWith: 'OR', prefix: isPrefix },
};

/** What is asked for each page and word that comes into question; pages that are full of similar words make very many of a few letters. */
function watched(isLate: () => boolean): NonNullable<SearchOptions['boostDocument']> {
  let count = 0;
  return () => {
    if (++count % 256 === 0 && isLate()) throw new TooCostly('it takes too long');
    return 1;
  };
}

/** What minisearch and the tables here take, as measured with V8 of Node.js 20. */
const perPage = 2200;
const perPosting = 50;
const perTerm = 430;

/** Characters of texts that are looked through for what is shown of one answer. */
const mostScanned = 1_000_000;
