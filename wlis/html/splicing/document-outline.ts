/** Where something may be put in, as seen from the tag or text that was told last. */
export interface OutlinePlaces {
  /** The head begins, or ends. */
  readonly head: 'begins before' | 'begins behind' | 'ends before' | 'begins and ends before' | null;
  /** `frames`: the page has a frameset in its place. */
  readonly body: 'begins before' | 'begins behind' | 'frames' | null;
}

/**
 * Where head and body of a page begin, whether it has tags for them or not (HTML §13.2.6.4.3 to 6). It is told of what stands outside
 * of templates and of elements of raw text, until the body has begun.
 */
export class DocumentOutline {
  #mode: 'before head' | 'in head' | 'after head' | 'in body' = 'before head';

  get isInHead(): boolean {
    return this.#mode === 'in head';
  }

  /** Whether the body, or a frameset, has begun. */
  get isOver(): boolean {
    return this.#mode === 'in body';
  }

  startTag(name: string): OutlinePlaces {
    if (this.isOver || name === 'html') return nowhere;
    if (name === 'head') {
      if (this.#mode !== 'before head') return nowhere;
      this.#mode = 'in head';
      return { head: 'begins behind', body: null };
    }
    if (ofHead.has(name) && (name !== 'noscript' || this.#mode !== 'after head')) {
      if (this.#mode !== 'before head') return nowhere;
      this.#mode = 'in head';
      return { head: 'begins before', body: null };
    }
    if (name === 'frameset') return this.#toBody('frames');
    return this.#toBody(name === 'body' ? 'begins behind' : 'begins before');
  }

  endTag(name: string): OutlinePlaces {
    if (this.isOver) return nowhere;
    if (name === 'body' || name === 'html' || name === 'br') return this.#toBody('begins before');
    if (name !== 'head' || this.#mode === 'after head') return nowhere;
    const head = this.#mode === 'in head' ? 'ends before' : 'begins and ends before';
    this.#mode = 'after head';
    return { head, body: null };
  }

  /** Text that is not white space, or the end of the page. */
  text(): OutlinePlaces {
    return this.isOver ? nowhere : this.#toBody('begins before');
  }

  #toBody(body: 'begins before' | 'begins behind' | 'frames'): OutlinePlaces {
    const mode = this.#mode;
    this.#mode = 'in body';
    if (mode === 'after head') return { head: null, body };
    return { head: mode === 'in head' ? 'ends before' : 'begins and ends before', body };
  }
}

const nowhere: OutlinePlaces = { head: null, body: null };

const ofHead = new Set('base basefont bgsound link meta noframes noscript script style template title'.split(' '));
