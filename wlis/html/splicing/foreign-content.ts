/**
 * Whether a tag stands in HTML, or in SVG or MathML within it, where the names of elements mean something else (HTML §13.2.6.5): what is
 * open from the outermost `svg` or `math` on. Of HTML within that (`foreignObject`) only what is closed as it was opened is
 * followed; from where a browser would mend it on, it cannot be told any more, and nothing is told for certain.
 */
export class ForeignContent {
  #open: Open[] = [];
  #isUnsure = false;

  get isUnsure(): boolean {
    return this.#isUnsure;
  }

  /** Whether nothing of it is open. */
  get isOutside(): boolean {
    return this.#open.length === 0;
  }

  /** How many elements are. */
  get depth(): number {
    return this.#open.length;
  }

  /** Whether the innermost element is of SVG or MathML. */
  get isWithin(): boolean {
    return this.#open.length > 0 && this.#open.at(-1)?.language !== 'html';
  }

  beUnsure(): void {
    this.#isUnsure = true;
    this.#open = [];
  }

  /**
   * @param isStyledFont whether it has an attribute by which a `font` is one of HTML
   * @returns what the element is in; null if that cannot be told
   */
  startTag(name: string, isSelfClosing: boolean, isStyledFont: boolean): 'html' | 'foreign' | null {
    if (this.#isUnsure) return null;
    const innermost = this.#open.at(-1);
    if (innermost === undefined || innermost.language === 'html') return this.#startInHtml(name, isSelfClosing);
    if (innermost.holds === 'html' || (innermost.holds === 'text' && name !== 'mglyph' && name !== 'malignmark')) {
      return this.#startInHtml(name, isSelfClosing);
    }
    if (leading.has(name) || (name === 'font' && isStyledFont)) {
      this.#leave();
      return this.#startInHtml(name, isSelfClosing);
    }
    return this.#startWithin(name, innermost.language, isSelfClosing);
  }

  endTag(name: string): void {
    if (this.#isUnsure || this.#open.length === 0) return;
    if (!this.isWithin) {
      if (this.#open.at(-1)?.name === name) this.#open.pop();
      else this.beUnsure();
      return;
    }
    const place = this.#open.findLastIndex((one) => one.language === 'html' || one.name === name);
    if (place < 0 || this.#open[place]?.language === 'html' || name === 'p' || name === 'br') this.#endElsewhere(name);
    else this.#open.length = place;
  }

  /** An end tag of something outside. */
  #endElsewhere(name: string): void {
    if (name === 'p' || name === 'br') this.#leave();
    if (this.#open.length > 0) this.beUnsure();
  }

  #startInHtml(name: string, isSelfClosing: boolean): 'html' | null {
    if (name === 'svg' || name === 'math') {
      if (!isSelfClosing) this.#push({ name, language: name, holds: 'foreign' });
    } else if (this.#open.length > 0) {
      if (ofTables.has(name)) {
        this.beUnsure();
        return null;
      }
      if (!ignored.has(name) && !emptyElements.has(name)) this.#push({ name, language: 'html', holds: 'html' });
    }
    return 'html';
  }

  #startWithin(name: string, language: 'svg' | 'math', isSelfClosing: boolean): 'foreign' | null {
    if (language === 'math' && name === 'annotation-xml') {
      this.beUnsure(); // it depends on its attributes
      return null;
    }
    const ofHtml = language === 'svg' && (name === 'foreignobject' || name === 'desc' || name === 'title');
    const ofText = language === 'math' && /^(?:m[inos]|mtext)$/.test(name);
    if (!isSelfClosing) this.#push({ name, language, holds: ofHtml ? 'html' : ofText ? 'text' : 'foreign' });
    return 'foreign';
  }

  #push(element: Open): void {
    if (this.#open.length < deepest) this.#open.push(element);
    else this.beUnsure();
  }

  /** Out of SVG and MathML, as far as to HTML or what may have it. */
  #leave(): void {
    const place = this.#open.findLastIndex(({ language, holds }) => language === 'html' || holds !== 'foreign');
    this.#open.length = place + 1;
  }
}

interface Open {
  readonly name: string;
  readonly language: 'html' | 'svg' | 'math';
  /** Of what the elements directly in it are; `text`: of HTML, but for two. */
  readonly holds: 'html' | 'text' | 'foreign';
}

const deepest = 512;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Start tags that lead out of SVG and MathML wherever they stand. */
const leading = words(
  'b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ' +
    'ruby s small span strong strike sub sup table tt u ul var',
);

/** They may end what is around SVG. */
const ofTables = words('table caption col colgroup tbody td tfoot th thead tr frame frameset');

const ignored = words('html head body');

/** Of HTML, without an end tag. */
export const emptyElements = words(
  'area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr',
);
