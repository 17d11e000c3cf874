import { DocumentOutline, type OutlinePlaces } from './document-outline.js';
import { duplicateLinks } from './duplicate-links.js';
import { ampersand, isSpace, semicolon } from './html-characters.js';
import type { PagePolicy } from './page-policy.js';
import type { Gap, SplicedOutput } from './spliced-output.js';
import { mostHeld } from './tag-values.js';
import type { Bar, ViewRecipe } from '../view-recipe.js';

/**
 * Puts links into the head of a page, and a bar to the beginning of its body. The links come first in the head, but behind a `meta`
 * that says the encoding: browsers look for that in the first 1024 bytes only. Where a body begins without a tag of its own, a
 * frameset may still take its place as long as there is nothing to see in it (HTML §13.2.6.4.7, "frameset-ok"): until then it
 * is left open whether the bar comes there. It is told of what stands outside of templates, SVG and elements of raw text.
 */
export class PageInsertions {
  readonly #output: SplicedOutput;
  readonly #outline = new DocumentOutline();
  /** Where a `meta` ends before which nothing may come. */
  readonly #from: number;
  #policy: PagePolicy;
  #metaPolicies = 0;
  #links: Buffer | null;
  #bar: Bar | null;
  /** Whether the tag told last is that of the body. */
  #isBehindTag = false;
  #isInReference = false;
  #gap: { readonly gap: Gap; readonly at: number; readonly markup: Buffer } | null = null;

  constructor(output: SplicedOutput, recipe: ViewRecipe, policy: PagePolicy, from: number) {
    this.#output = output;
    this.#from = from;
    this.#policy = policy;
    this.#links = recipe.duplicates.length === 0 ? null : Buffer.from(duplicateLinks(recipe.duplicates), 'latin1');
    this.#bar = recipe.bar;
  }

  /** Whether nothing will be put in any more. */
  get isOver(): boolean {
    return this.#links === null && this.#bar === null && this.#gap === null;
  }

  startTag(name: string, at: number, to: number): void {
    if (this.isOver) return;
    this.#isInReference = false;
    // a name that long is held back no longer, so that it does not matter in what pieces it comes
    if (to - at > mostHeld) {
      this.giveUp();
      return;
    }
    const places = this.#outline.startTag(name);
    if (places.head === null && this.#outline.isInHead) this.#insertLinks(at);
    this.#place(places, at);
    if (visible.has(name)) this.#settle(to);
  }

  endTag(name: string, at: number, to: number): void {
    if (this.isOver) return;
    this.#isInReference = false;
    if (to - at > mostHeld) {
      this.giveUp();
      return;
    }
    // what stands before it may be raw text: where it says nothing of the head, links have to wait until it has ended
    this.#place(this.#outline.endTag(name), at);
    if (name === 'br') this.#settle(to);
  }

  /** The tag told last has ended, and what follows is no raw text. */
  tagEnds(end: number): void {
    if (this.#isBehindTag) {
      this.#isBehindTag = false;
      if (this.#bar !== null && end >= this.#from && this.#policy.allows(this.#bar))
        this.#insert(markupOf(this.#bar), end);
      this.#bar = null;
    }
    if (this.#outline.isInHead) this.#insertLinks(end);
  }

  text(chunk: Buffer, from: number, to: number, at: number): void {
    if (this.isOver) return;
    for (let place = from; place < to; place++) {
      if (!this.#isOnlySpace(chunk[place] ?? 0, at + place - from)) return;
    }
  }

  /** A policy that the page itself has. @param content null if it cannot be read */
  metaPolicy(content: string | null): void {
    if (content === null || ++this.#metaPolicies > mostMetaPolicies) this.#bar = null;
    if (content !== null && this.#bar !== null) this.#policy = this.#policy.and(content);
  }

  /** Nothing is put in any more. */
  giveUp(): void {
    this.#links = null;
    this.#bar = null;
    this.#close(null);
  }

  /** All has come up to there. */
  passed(to: number): void {
    if (this.#gap !== null && to - this.#gap.at > mostHeld) this.#close(null);
  }

  /** The page ends. @param isOpen whether what would follow were tags and text of the body */
  end(at: number, isOpen: boolean): void {
    if (isOpen && !this.isOver) this.#place(this.#outline.text(), at);
    if (this.#gap !== null) this.#close(this.#gap.markup);
    this.giveUp();
  }

  #place({ head, body }: OutlinePlaces, at: number): void {
    const isOver = head === 'ends before' || head === 'begins and ends before';
    if (isOver || head === 'begins before') this.#insertLinks(at);
    if (isOver) this.#links = null;
    if (body === 'begins behind') this.#isBehindTag = true;
    else if (body === 'begins before') this.#open(at);
    else if (body === 'frames') this.#bar = null;
  }

  /** Whether it takes more characters to know what text there is. */
  #isOnlySpace(c: number, at: number): boolean {
    if (isSpace(c) || (at < 3 && c === utf8Mark[at])) this.#isInReference = false;
    else if (this.#gap !== null) this.#seesText(c, at + 1);
    else if (this.#outline.isOver) return false;
    // a reference may stand for white space
    else if (c === ampersand || c === 0) this.giveUp();
    else {
      this.#place(this.#outline.text(), at);
      this.#settle(at + 1);
    }
    return !this.isOver;
  }

  /** What may stand for white space is not seen. */
  #seesText(c: number, at: number): void {
    if (c === ampersand) this.#isInReference = true;
    else if (c === semicolon && this.#isInReference) this.#isInReference = false;
    else if (c !== 0 && !(this.#isInReference && isOfReference(c))) this.#settle(at);
  }

  #insertLinks(at: number): void {
    if (this.#links === null || at < this.#from) return;
    this.#insert(this.#links, at);
    this.#links = null;
  }

  #open(at: number): void {
    const bar = this.#bar;
    this.#bar = null;
    if (bar === null || at < this.#from || !this.#policy.allows(bar)) return;
    this.#output.keep(at);
    this.#gap = { gap: this.#output.gap(), at, markup: markupOf(bar) };
  }

  /** What is there to see keeps a frameset away. */
  #settle(at: number): void {
    if (this.#gap !== null) this.#close(at - this.#gap.at > mostHeld ? null : this.#gap.markup);
  }

  #close(markup: Buffer | null): void {
    this.#gap?.gap.close(markup);
    this.#gap = null;
  }

  #insert(bytes: Buffer, at: number): void {
    this.#output.keep(at);
    this.#output.insert(bytes);
  }
}

/** Start tags after which there is something to see. */
const visible = new Set(
  (
    'pre listing li dd dt button applet marquee object table area br embed img image keygen wbr hr textarea xmp iframe select ' +
    'body'
  ).split(' '),
);

/** No page needs more. */
const mostMetaPolicies = 16;

const utf8Mark = [0xef, 0xbb, 0xbf];

/** `#`, digits and letters. */
const isOfReference = (c: number): boolean =>
  c === 0x23 || (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a);

/** Nothing in it may depend on the encoding of the page. */
const markupOf = ({ markup }: Bar): Buffer =>
  Buffer.from(
    markup.replace(/[^\0-\x7f]/gu, (character) => `&#${character.codePointAt(0) ?? 0xfffd};`),
    'latin1',
  );
