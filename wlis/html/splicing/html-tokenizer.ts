import {
  endsName,
  equals,
  exclamation,
  greaterThan,
  isLetter,
  isSpace,
  lessThan,
  question,
  slash,
} from './html-characters.js';
import { htmlName } from './html-name.js';
import { MarkupDeclaration } from './markup-declaration.js';
import { RawText } from './raw-text.js';
import type { TagSink, TokenizerControl } from './tag-sink.js';

/**
 * Tells tags from all else in the bytes of a page as browsers do (HTML §13.2.5), in whatever pieces they come; looks at every byte
 * once. It keeps nothing of them but the beginning of a name. The bytes are those of an encoding in which ASCII is ASCII.
 *
 * Not that of htmlparser2, for which a script ends at a `</script>` that belongs to it ("script data double escaped"), an end tag at
 * a `>` in an attribute, and for which SVG has elements of raw text: each would have markup put into what browsers take for a script.
 */
export class HtmlTokenizer {
  readonly #sink: TagSink;
  readonly #control: TokenizerControl;
  #chunk: Buffer = nothing;
  /** Offset of its first byte. */
  #base = 0;
  #state: State = State.data;
  #tagAt = 0;
  #isEndTag = false;
  /** Where in the chunk the name begins, and what came of it before. */
  #nameFrom = 0;
  #name = '';
  #tagName = '';
  #wantsAttributes = false;
  #wantsValue = false;
  /** The quote that ends the value. */
  #quote = 0;
  #declaration: MarkupDeclaration | null = null;
  #raw: RawText | null = null;

  constructor(sink: TagSink, control: TokenizerControl) {
    this.#sink = sink;
    this.#control = control;
  }

  /** Where the tag begins of which the name has not yet come whole; null if there is none. */
  get unnamedAt(): number | null {
    const isUnnamed =
      this.#state === State.tagOpen || this.#state === State.endTagOpen || this.#state === State.tagName;
    return isUnnamed ? this.#tagAt : null;
  }

  /** Whether what comes next would be read as text and tags. */
  get isBetweenTags(): boolean {
    return this.#state === State.data;
  }

  /** @param base offset of its first byte */
  push(chunk: Buffer, base: number): void {
    this.#chunk = chunk;
    this.#base = base;
    this.#nameFrom = 0;
    const control = this.#control;
    for (let at = 0; at < chunk.length && !control.isStopped;) {
      const { watch } = control;
      const from = at;
      at = this.#step(at);
      if (watch !== null && watch === control.watch && watch.pass(chunk, from, at)) this.#sink.seen();
    }
    if (this.#state === State.tagName || this.#state === State.attributeName) this.#name = this.#named(chunk.length);
    this.#chunk = nothing;
  }

  #step(at: number): number {
    switch (this.#state) {
      case State.data:
        return this.#data(at);
      case State.tagOpen:
        return this.#tagOpen(at);
      case State.endTagOpen:
        return this.#endTagOpen(at);
      case State.tagName:
        return this.#inTagName(at);
      case State.beforeAttribute:
        return this.#beforeAttribute(at);
      case State.attributeName:
        return this.#inAttributeName(at);
      case State.afterAttribute:
        return this.#afterAttribute(at);
      case State.beforeValue:
        return this.#beforeValue(at);
      case State.quoted:
        return this.#inQuoted(at);
      case State.unquoted:
        return this.#inUnquoted(at);
      case State.selfClosing:
        return this.#selfClosing(at);
      case State.declaration:
        return this.#inDeclaration(at);
      case State.raw:
        return this.#inRaw(at);
    }
  }

  #data(at: number): number {
    const found = this.#chunk.indexOf(lessThan, at);
    const to = found < 0 ? this.#chunk.length : found;
    if (to > at) this.#sink.text(this.#chunk, at, to, this.#base + at);
    if (found < 0) return to;
    this.#tagAt = this.#base + found;
    this.#state = State.tagOpen;
    return found + 1;
  }

  #tagOpen(at: number): number {
    const c = this.#chunk[at] ?? 0;
    if (isLetter(c)) return this.#beginName(at, false);
    if (c === slash) this.#state = State.endTagOpen;
    else if (c === exclamation || c === question) this.#declare(c === question);
    else {
      this.#sink.text(lessThanText, 0, 1, this.#tagAt);
      this.#state = State.data;
      return at;
    }
    return at + 1;
  }

  #endTagOpen(at: number): number {
    const c = this.#chunk[at] ?? 0;
    if (isLetter(c)) return this.#beginName(at, true);
    if (c !== greaterThan) {
      this.#declare(true);
      return at;
    }
    this.#state = State.data;
    return at + 1;
  }

  #declare(isBogus: boolean): void {
    this.#state = State.declaration;
    this.#declaration = new MarkupDeclaration(isBogus, () => this.#sink.hasCdata());
  }

  #beginName(at: number, isEndTag: boolean): number {
    this.#isEndTag = isEndTag;
    this.#state = State.tagName;
    this.#name = '';
    this.#nameFrom = at;
    return at;
  }

  #inTagName(from: number): number {
    let at = from;
    while (at < this.#chunk.length && !endsName(this.#chunk[at] ?? 0)) at++;
    if (at === this.#chunk.length) return at;
    this.#tagName = this.#named(at);
    this.#state = State.beforeAttribute;
    if (this.#isEndTag) {
      this.#wantsAttributes = false;
      this.#sink.endTag(this.#tagName, this.#tagAt, this.#base + at);
    } else this.#wantsAttributes = this.#sink.startTag(this.#tagName, this.#tagAt, this.#base + at);
    return at;
  }

  /** @param to where in the chunk it ends, as far as it has come */
  #named(to: number): string {
    const room = longestName - this.#name.length;
    if (room <= 0) return this.#name;
    return this.#name + htmlName(this.#chunk, this.#nameFrom, Math.min(to, this.#nameFrom + room));
  }

  #beforeAttribute(from: number): number {
    const at = this.#afterSpace(from);
    if (at === this.#chunk.length) return at;
    const c = this.#chunk[at];
    if (c === slash || c === greaterThan) {
      this.#state = State.afterAttribute;
      return at;
    }
    this.#state = State.attributeName;
    this.#name = '';
    this.#nameFrom = at;
    return at + 1; // even if it is an equals sign
  }

  #inAttributeName(from: number): number {
    let at = from;
    while (at < this.#chunk.length && this.#chunk[at] !== equals && !endsName(this.#chunk[at] ?? 0)) at++;
    if (at === this.#chunk.length) return at;
    this.#wantsValue = this.#wantsAttributes && this.#sink.attribute(this.#named(at));
    this.#state = State.afterAttribute;
    return at;
  }

  #afterAttribute(from: number): number {
    const at = this.#afterSpace(from);
    if (at === this.#chunk.length) return at;
    const c = this.#chunk[at];
    if (c === greaterThan) return this.#endTag(at, false);
    if (c === slash) this.#state = State.selfClosing;
    else if (c === equals) this.#state = State.beforeValue;
    else {
      this.#state = State.beforeAttribute;
      return at;
    }
    return at + 1;
  }

  #beforeValue(from: number): number {
    const at = this.#afterSpace(from);
    if (at === this.#chunk.length) return at;
    const c = this.#chunk[at] ?? 0;
    if (c === greaterThan) return this.#endTag(at, false);
    if (this.#wantsValue) this.#sink.valueBegins(this.#base + at);
    const isQuote = c === 0x22 || c === 0x27;
    this.#quote = c;
    this.#state = isQuote ? State.quoted : State.unquoted;
    return isQuote ? at + 1 : at;
  }

  #inQuoted(from: number): number {
    const at = this.#chunk.indexOf(this.#quote, from);
    if (at < 0) return this.#chunk.length;
    if (this.#wantsValue) this.#sink.valueEnds(this.#base + at + 1, true);
    this.#state = State.beforeAttribute;
    return at + 1;
  }

  #inUnquoted(from: number): number {
    let at = from;
    while (at < this.#chunk.length && this.#chunk[at] !== greaterThan && !isSpace(this.#chunk[at] ?? 0)) at++;
    if (at === this.#chunk.length) return at;
    if (this.#wantsValue) this.#sink.valueEnds(this.#base + at, false);
    this.#state = State.beforeAttribute;
    return at;
  }

  #selfClosing(at: number): number {
    if (this.#chunk[at] === greaterThan) return this.#endTag(at, true);
    this.#state = State.beforeAttribute;
    return at;
  }

  /** @param at where in the chunk the `>` is. @returns the place behind it */
  #endTag(at: number, isSelfClosing: boolean): number {
    const end = this.#base + at + 1;
    this.#state = State.data;
    if (this.#isEndTag) this.#sink.endTagEnds(end);
    else if (this.#sink.startTagEnds(end, isSelfClosing)) {
      this.#raw = new RawText(this.#tagName);
      this.#state = State.raw;
    }
    return at + 1;
  }

  #inDeclaration(at: number): number {
    const end = this.#declaration?.pass(this.#chunk, at) ?? null;
    if (end === null) return this.#chunk.length;
    this.#state = State.data;
    return end;
  }

  #inRaw(from: number): number {
    const at = this.#raw?.pass(this.#chunk, from, this.#base) ?? null;
    if (at === null || this.#raw === null) return this.#chunk.length;
    this.#isEndTag = true;
    this.#wantsAttributes = false;
    this.#tagAt = this.#raw.endAt;
    this.#state = State.beforeAttribute;
    this.#sink.endTag(this.#raw.name, this.#tagAt, this.#base + at);
    this.#raw = null;
    return at;
  }

  #afterSpace(from: number): number {
    let at = from;
    while (at < this.#chunk.length && isSpace(this.#chunk[at] ?? 0)) at++;
    return at;
  }
}

const enum State {
  data,
  tagOpen,
  endTagOpen,
  tagName,
  beforeAttribute,
  attributeName,
  afterAttribute,
  beforeValue,
  quoted,
  unquoted,
  selfClosing,
  declaration,
  raw,
}

const nothing = Buffer.alloc(0);
const lessThanText = Buffer.from('<');
/** No element or attribute that matters has so long a name. */
const longestName = 32;
