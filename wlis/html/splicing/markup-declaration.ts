import { closingBracket, dash, exclamation, greaterThan } from './html-characters.js';

/** What `<!` or `<?` begins: a comment, a document type, CDATA, or what counts as a comment (HTML §13.2.5.41 to 71). */
export class MarkupDeclaration {
  readonly #hasCdata: () => boolean;
  #state: State;
  #read = '';
  #comment: Comment = Comment.start;
  #brackets = 0;

  /**
   * @param isBogus whether it is known to be a comment up to the next `>`
   * @param hasCdata is asked whether `<![CDATA[` is what it says there
   */
  constructor(isBogus: boolean, hasCdata: () => boolean) {
    this.#state = isBogus ? State.bogus : State.open;
    this.#hasCdata = hasCdata;
  }

  /** @param from where in the chunk to go on. @returns the place behind its end; null if that does not come in the chunk */
  pass(chunk: Buffer, from: number): number | null {
    let at = from;
    for (; at < chunk.length && this.#state === State.open; at++) {
      if (!this.#opens(chunk[at] ?? 0)) break;
    }
    if (at === chunk.length) return null;
    switch (this.#state) {
      case State.open:
      case State.bogus: {
        const end = chunk.indexOf(greaterThan, at);
        return end < 0 ? null : end + 1;
      }
      case State.comment:
        return this.#inComment(chunk, at);
      case State.cdata:
        return this.#inCdata(chunk, at);
    }
  }

  /** Whether the character goes on with what may still become a comment or CDATA. */
  #opens(c: number): boolean {
    const read = this.#read + String.fromCharCode(c);
    this.#read = read;
    if (read === '--') this.#state = State.comment;
    else if (read === '[CDATA[') this.#state = this.#hasCdata() ? State.cdata : State.bogus;
    else if (!'--'.startsWith(read) && !'[CDATA['.startsWith(read)) {
      this.#state = State.bogus; // document types end where such comments do
      return false;
    }
    return true;
  }

  #inComment(chunk: Buffer, from: number): number | null {
    for (let at = from; at < chunk.length; at++) {
      if (this.#comment === Comment.text) {
        const found = chunk.indexOf(dash, at);
        if (found < 0) return null;
        at = found;
      }
      const c = chunk[at] ?? 0;
      if (c === greaterThan && this.#comment !== Comment.text && this.#comment !== Comment.dash) return at + 1;
      this.#comment = afterInComment(this.#comment, c);
    }
    return null;
  }

  #inCdata(chunk: Buffer, from: number): number | null {
    for (let at = from; at < chunk.length; at++) {
      const c = chunk[at];
      if (c === greaterThan && this.#brackets >= 2) return at + 1;
      this.#brackets = c === closingBracket ? this.#brackets + 1 : 0;
    }
    return null;
  }
}

const enum State {
  /** Too little of it has come. */
  open,
  bogus,
  comment,
  cdata,
}

/** How far the end of a comment has come. */
const enum Comment {
  text,
  /** `-` */
  dash,
  /** `--` */
  dashes,
  /** `--!` */
  bang,
  /** Of it nothing has come but `<!--`. */
  start,
  /** `<!---` */
  startDash,
}

function afterInComment(before: Comment, c: number): Comment {
  if (c === dash) {
    if (before === Comment.start) return Comment.startDash;
    return before === Comment.text || before === Comment.bang ? Comment.dash : Comment.dashes;
  }
  return c === exclamation && before === Comment.dashes ? Comment.bang : Comment.text;
}
