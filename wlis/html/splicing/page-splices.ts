import { quotedAttribute } from './attribute-text.js';
import { EndTagWatch } from './end-tag-watch.js';
import { emptyElements, ForeignContent } from './foreign-content.js';
import type { TagSink, TokenizerControl } from './tag-sink.js';
import type { PageInsertions } from './page-insertions.js';
import type { SplicedOutput } from './spliced-output.js';
import { TagValues, type TagValue } from './tag-values.js';
import { hasUrls, rewrittenValue, urlValueOf } from './url-attributes.js';
import type { UrlRewriting } from '../view-recipe.js';

export interface PageSplicesOptions {
  readonly output: SplicedOutput;
  readonly insertions: PageInsertions;
  readonly urls: UrlRewriting | null;
  /** Of the page itself. */
  readonly uri: string;
  readonly charset: string | null;
}

/**
 * Decides at each tag what is put in or replaced there. As soon as a browser might take what follows for something else, or one
 * browser for something else than another, it stops, and all that follows stays as it is.
 */
export class PageSplices implements TagSink {
  readonly #options: PageSplicesOptions;
  readonly #values: TagValues;
  readonly #foreign = new ForeignContent();
  #name = '';
  #isStyledFont = false;
  #templates = 0;
  #isInSelect = false;
  #noscript: Noscript | null = null;
  /** Of its first `base`: with its host, empty if that is the page's; null without. */
  #base: string | null = null;

  /** For who reads the page for it. */
  readonly control: TokenizerControl = { isStopped: false, watch: null };

  constructor(options: PageSplicesOptions) {
    this.#options = options;
    this.#values = new TagValues(options.output, options.charset);
  }

  /** Whether nothing will be spliced any more. */
  get isDone(): boolean {
    return this.control.isStopped;
  }

  /** From where on the original has to be held back. */
  get heldFrom(): number | null {
    return this.#values.heldFrom;
  }

  /** Whether what comes next belongs to the page's own head or body. */
  get isOutside(): boolean {
    const isHtml = this.#foreign.isOutside && !this.#foreign.isUnsure;
    return isHtml && this.#templates === 0 && this.#noscript === null && !this.control.isStopped;
  }

  stop(): void {
    this.control.isStopped = true;
    this.#values.clear();
    this.#options.insertions.giveUp();
  }

  /** All has come up to there. */
  passed(to: number): void {
    this.#values.passed(to);
    this.#options.insertions.passed(to);
    this.#stopIfDone();
  }

  text(chunk: Buffer, from: number, to: number, at: number): void {
    if (this.isOutside) this.#options.insertions.text(chunk, from, to, at);
  }

  startTag(name: string, at: number, to: number): boolean {
    this.#values.clear();
    this.#name = name;
    this.#isStyledFont = false;
    if (this.isOutside) this.#options.insertions.startTag(name, at, to);
    return (
      name === 'meta' ||
      !this.#foreign.isOutside ||
      (this.#options.urls !== null && hasUrls(name, this.#foreign.isUnsure))
    );
  }

  attribute(name: string): boolean {
    this.#isStyledFont ||= name === 'color' || name === 'face' || name === 'size';
    return this.#matters(name) && this.#values.add(name);
  }

  valueBegins(at: number): void {
    this.#values.begins(at);
  }

  valueEnds(to: number, isQuoted: boolean): void {
    this.#values.ends(to, isQuoted);
  }

  startTagEnds(end: number, isSelfClosing: boolean): boolean {
    if (this.control.isStopped) return false;
    this.#values.passed(end);
    const language = this.#foreign.startTag(this.#name, isSelfClosing, this.#isStyledFont);
    this.#use(language);
    this.#values.clear();
    if (language === 'foreign') return false;
    return language === null ? this.#startsSomewhere() : this.#startsInHtml(end);
  }

  endTag(name: string, at: number, to: number): void {
    this.#values.clear();
    if (this.#noscript !== null && name === 'noscript' && !this.#foreign.isWithin) this.#endNoscript(this.#noscript);
    else {
      if (this.isOutside) this.#options.insertions.endTag(name, at, to);
      this.#ends(name);
    }
  }

  endTagEnds(end: number): void {
    if (this.isOutside) this.#options.insertions.tagEnds(end);
  }

  hasCdata(): boolean {
    if (this.#foreign.isUnsure) this.stop();
    return this.#foreign.isWithin;
  }

  /** Where scripts run, `noscript` ends here; elsewhere this belongs to something in it. */
  seen(): void {
    this.stop();
  }

  #stopIfDone(): void {
    if (this.#options.urls === null && this.#options.insertions.isOver) this.stop();
  }

  #startsSomewhere(): boolean {
    this.#options.insertions.giveUp();
    if (rawText.has(this.#name) || this.#name === 'noscript') this.stop();
    return false;
  }

  #startsInHtml(end: number): boolean {
    const isRaw = rawText.has(this.#name);
    // what some browsers leave out there has no raw text for them
    if (this.#isInSelect && (this.#name === 'noscript' || (isRaw && this.#name !== 'script'))) {
      this.stop();
      return false;
    }
    this.#begins(this.#name);
    if (!isRaw && this.isOutside) this.#options.insertions.tagEnds(end);
    this.#stopIfDone();
    return isRaw;
  }

  #begins(name: string): void {
    if (this.#noscript !== null && this.#noscript.open.length < mostOpen && !emptyElements.has(name)) {
      this.#noscript.open.push(name);
    }
    const isForeign = name === 'svg' || name === 'math';
    // what is left out within these depends on more than is followed here
    if (name === 'frameset' || (name === 'col' && this.#templates > 0) || (isForeign && this.#isInSelect))
      this.#beUnsure();
    else if (name === 'template' && this.#foreign.isOutside) this.#templates++;
    else if (name === 'select') this.#isInSelect = true;
    else if (name === 'noscript' && this.#noscript === null) {
      const before = { templates: this.#templates, isInSelect: this.#isInSelect, depth: this.#foreign.depth };
      this.#noscript = { open: [], ...before };
      this.control.watch = new EndTagWatch('noscript');
    }
  }

  #ends(name: string): void {
    if (this.#noscript?.open.at(-1) === name) this.#noscript.open.pop();
    if (!this.#foreign.isOutside) this.#foreign.endTag(name);
    else if (name === 'template' && this.#templates > 0) this.#templates--;
    else if (name === 'select') this.#isInSelect = false;
  }

  /** Where scripts run, nothing in it was read; so nothing may be different because of it. */
  #endNoscript(before: Noscript): void {
    this.#noscript = null;
    this.control.watch = null;
    const isSame = this.#templates === before.templates && this.#isInSelect === before.isInSelect;
    if (!isSame || !this.#foreign.isOutside || before.depth > 0) this.#beUnsure();
    // without scripts, that may have been the beginning of the body, in which something is still open
    else if (before.open.length > 0) this.#options.insertions.giveUp();
  }

  #beUnsure(): void {
    this.#foreign.beUnsure();
    this.#options.insertions.giveUp();
  }

  #matters(attribute: string): boolean {
    if (this.#name === 'meta') return attribute === 'http-equiv' || attribute === 'content';
    const language = this.#foreign.isOutside && !this.#foreign.isUnsure ? 'html' : null;
    return this.#options.urls !== null && urlValueOf(this.#name, attribute, language) !== null;
  }

  #use(language: 'html' | 'foreign' | null): void {
    const values = this.#values.read();
    if (this.#name === 'meta' && !this.#usesMeta(values)) return;
    if (this.#name === 'base' && language === 'html') this.#usesBase(values);
    for (const value of values) this.#rewrite(value, language);
  }

  /** Whether it has a URL. */
  #usesMeta(values: readonly TagValue[]): boolean {
    const { insertions, urls } = this.#options;
    if (this.#values.isTooLong) insertions.metaPolicy(null);
    const pragma = values
      .find(({ name }) => name === 'http-equiv')
      ?.text?.trim()
      .toLowerCase();
    const content = values.find(({ name }) => name === 'content')?.text ?? null;
    if (pragma === 'content-security-policy' && !insertions.isOver) insertions.metaPolicy(content);
    return pragma === 'refresh' && urls !== null;
  }

  /** The first counts. */
  #usesBase(values: readonly TagValue[]): void {
    const href = values.find(({ name }) => name === 'href')?.text ?? null;
    if (href === null || this.#noscript !== null || this.#templates > 0) return;
    this.#base ??= hasHost(href) ? absolute(href, this.#options.uri) : '';
  }

  #rewrite({ name, from, to, text }: TagValue, language: 'html' | 'foreign' | null): void {
    const { urls, output } = this.#options;
    const kind = urlValueOf(this.#name, name, language);
    if (urls === null || text === null || kind === null) return;
    const rewritten = rewrittenValue(text, kind, this.#base === null ? urls : withBase(urls, this.#base));
    if (rewritten === null) return;
    output.keep(from);
    output.insert(Buffer.from(quotedAttribute(rewritten), 'latin1'));
    output.skip(to);
  }
}

/** A `noscript` that is open. */
interface Noscript {
  /** What is open in it, as far as it was closed in order. */
  readonly open: string[];
  readonly templates: number;
  readonly isInSelect: boolean;
  readonly depth: number;
}

/** Nobody hides more from scripts. */
const mostOpen = 64;

const rawText = new Set(['title', 'textarea', 'style', 'script', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext']);

const hasHost = (url: string): boolean => /^\s*(?:https?:)?[\\/]{2}/i.test(url);

/**
 * Where links do not go by the address of the page, what is asked is where they go.
 *
 * @param base with its host; empty if that is the page's
 */
const withBase = (urls: UrlRewriting, base: string): UrlRewriting => ({
  key: urls.key,
  rewritten: (url, kind) => {
    if (base === '') return kind === 'link' && !/^(?:https?:|[\\/])/i.test(url) ? null : urls.rewritten(url, kind);
    const target = kind === 'base' ? url : absolute(url, base);
    return target === null ? null : urls.rewritten(target, kind);
  },
});

function absolute(url: string, base: string): string | null {
  try {
    return new URL(url, base).href;
  } catch {
    return null;
  }
}
