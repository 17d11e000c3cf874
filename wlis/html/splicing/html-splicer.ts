import { HtmlTokenizer } from './html-tokenizer.js';
import { escape, type PageCharset } from './page-charset.js';
import { PageInsertions } from './page-insertions.js';
import type { PagePolicy } from './page-policy.js';
import { PageSplices } from './page-splices.js';
import { SplicedOutput } from './spliced-output.js';
import { mostHeld } from './tag-values.js';
import type { ViewRecipe } from '../view-recipe.js';

export interface HtmlSplicerOptions {
  readonly page: PagePolicy;
  /** Of the original. */
  readonly uri: string;
  /** What `htmlBeginning` says of it. */
  readonly charset: PageCharset;
}

/**
 * Makes a view of a page as its bytes come, without content codings: what goes in goes out again, but for what the recipe puts in
 * between or replaces. At most 64 KiB and a chunk are held back. The same page and the same recipe make the same bytes in whatever
 * chunks the page comes. Once nothing is to be spliced any more, chunks are handed on unread.
 */
export class HtmlSplicer {
  readonly #output = new SplicedOutput();
  readonly #insertions: PageInsertions;
  readonly #splices: PageSplices;
  readonly #tokenizer: HtmlTokenizer;
  /** Whether only bytes that tell the encoding can be relied on: without, browsers may guess one in which ESC changes it. */
  readonly #isGuessed: boolean;

  constructor(recipe: ViewRecipe, { page, uri, charset }: HtmlSplicerOptions) {
    const output = this.#output;
    this.#isGuessed = charset.charset === null;
    this.#insertions = new PageInsertions(output, recipe, page, charset.metaEnd);
    const { urls } = recipe;
    this.#splices = new PageSplices({ output, insertions: this.#insertions, urls, uri, charset: charset.charset });
    this.#tokenizer = new HtmlTokenizer(this.#splices, this.#splices.control);
  }

  /** @returns what may be sent on: parts of the chunks given where these are as they were */
  push(chunk: Buffer): readonly Buffer[] {
    if (this.#splices.isDone) return [...this.#output.taken(), chunk];
    const base = this.#output.size;
    this.#output.add(chunk);
    const odd = this.#isGuessed ? chunk.indexOf(escape) : -1;
    const readable = odd < 0 ? chunk : chunk.subarray(0, odd);
    this.#tokenizer.push(readable, base);
    if (odd >= 0) this.#splices.stop();
    const { size } = this.#output;
    this.#splices.passed(size);
    this.#output.keep(Math.min(this.#splices.heldFrom ?? size, this.#unnamedAt(size), size));
    return this.#output.taken();
  }

  /** The page is whole. */
  end(): readonly Buffer[] {
    const { size } = this.#output;
    if (!this.#splices.isDone) this.#insertions.end(size, this.#splices.isOutside && this.#tokenizer.isBetweenTags);
    this.#output.keep(size);
    return this.#output.taken();
  }

  /** Before a tag something may come, as long as it is not known what tag it is. */
  #unnamedAt(size: number): number {
    const at = this.#tokenizer.unnamedAt ?? size;
    if (this.#insertions.isOver || this.#splices.isDone) return size;
    if (size - at <= mostHeld) return at;
    this.#insertions.giveUp();
    return size;
  }
}
