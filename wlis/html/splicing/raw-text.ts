import { dash, endsName, exclamation, greaterThan, isLetter, lessThan, slash } from './html-characters.js';

/**
 * The text of an element in which tags are text, up to the tag that ends it (HTML §13.2.5.2 to 31): `title`, `style`, `script` and others.
 * In a script, what stands between `<!--` and `-->` may have a script within, whose end does not end the outer one.
 */
export class RawText {
  readonly #name: Buffer;
  readonly #isScript: boolean;
  #state: State = State.text;
  /** Where the last `<` is. */
  #at = 0;
  /** How many characters of the name have come. */
  #matched = 0;
  #escape: Escape = Escape.none;
  #dashes = 0;
  #word = '';

  /** @param name of the element, in lower case */
  constructor(readonly name: string) {
    this.#name = Buffer.from(name, 'latin1');
    this.#isScript = name === 'script';
  }

  /** Where the `<` of the end tag is, once `pass` has come to its end before the chunk's. */
  get endAt(): number {
    return this.#at;
  }

  /**
   * @param at where in the chunk to go on
   * @param base offset of the chunk's first byte
   * @returns where in the chunk the name of the end tag ends; null if that does not come in it
   */
  pass(chunk: Buffer, at: number, base: number): number | null {
    if (this.name === 'plaintext') return null;
    let next = at;
    while (next < chunk.length) {
      if (this.#state === State.text) {
        const found = this.#escape === Escape.none ? chunk.indexOf(lessThan, next) : this.#endOfEscaped(chunk, next);
        if (found < 0) return null;
        this.#at = base + found;
        this.#state = State.lessThan;
        next = found + 1;
      } else {
        const c = chunk[next] ?? 0;
        if (this.#isEnd(c)) return next;
        if (this.#takes(c)) next++;
        else this.#state = State.text;
      }
    }
    return null;
  }

  #isEnd(c: number): boolean {
    return this.#state === State.name && this.#matched === this.#name.length && endsName(c);
  }

  /** Whether the character belongs to what the last `<` began; if not, it is text. */
  #takes(c: number): boolean {
    switch (this.#state) {
      case State.lessThan:
        return this.#takesSecond(c);
      case State.name:
        return (c | 0x20) === this.#name[this.#matched++];
      case State.bang:
        this.#state = State.bangDash;
        return c === dash;
      case State.bangDash:
        return c === dash && this.#escapes();
      case State.word:
        return this.#takesWord(c);
      case State.text:
        return false;
    }
  }

  #takesSecond(c: number): boolean {
    const isInner = this.#escape === Escape.double;
    if (c === slash) {
      this.#state = isInner ? State.word : State.name;
      this.#matched = 0;
      this.#word = '';
      return true;
    }
    if (c === exclamation && this.#isScript && this.#escape === Escape.none) {
      this.#state = State.bang;
      return true;
    }
    if (this.#escape !== Escape.single || !isLetter(c)) return false;
    this.#state = State.word;
    this.#word = '';
    return this.#takesWord(c);
  }

  /** Of a tag within a script that begins or ends a script within it. */
  #takesWord(c: number): boolean {
    if (isLetter(c)) {
      if (this.#word.length <= 6) this.#word += String.fromCharCode(c | 0x20);
      return true;
    }
    if (!endsName(c)) return false;
    if (this.#word === 'script') this.#escape = this.#escape === Escape.single ? Escape.double : Escape.single;
    this.#state = State.text;
    return true;
  }

  #escapes(): true {
    this.#escape = Escape.single;
    this.#dashes = 2;
    this.#state = State.text;
    return true;
  }

  /** The next `<`; what is between may end the escape. */
  #endOfEscaped(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const c = chunk[at];
      if (c === dash) this.#dashes++;
      else {
        const isEnd = c === greaterThan && this.#dashes >= 2;
        this.#dashes = 0;
        if (c === lessThan) return at;
        if (isEnd) {
          this.#escape = Escape.none;
          return chunk.indexOf(lessThan, at);
        }
      }
    }
    return -1;
  }
}

const enum State {
  text,
  lessThan,
  name,
  bang,
  bangDash,
  word,
}

const enum Escape {
  none,
  single,
  double,
}
