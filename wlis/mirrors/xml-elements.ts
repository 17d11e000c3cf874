import { Parser } from 'htmlparser2';

/** An element of a document in XML, as far as one reads it that knows what to look for. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Text of its own, without white space at either end. */
  readonly text: string;
  readonly children: readonly XmlElement[];
  /** In which it begins. */
  readonly line: number;
}

export interface XmlFault {
  readonly line: number;
  readonly problem: string;
}

/**
 * The root element. The parser forgives much; what is not closed, closed twice, or stands beside the root is refused
 * here, and so are declarations, with which entities could be made.
 */
export function parseXml(text: string): XmlElement | XmlFault {
  const reader = new XmlReader(text);
  try {
    return reader.read();
  } catch (error) {
    if (error instanceof BadXml) return { line: error.line, problem: error.message };
    throw error;
  }
}

/** More than a list of mirrors needs. */
const mostElements = 200_000;
const deepest = 16;

class BadXml extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

interface Open extends XmlElement {
  text: string;
  readonly children: XmlElement[];
}

class XmlReader {
  readonly #source: string;
  readonly #parser: ClosingParser;
  readonly #open: Open[] = [];
  #root: XmlElement | null = null;
  #count = 0;
  #line = 1;
  #counted = 0;

  constructor(source: string) {
    this.#source = source;
    const handler = {
      onopentag: (name: string, attributes: Record<string, string>): void => this.#begin(name, attributes),
      onclosetag: (name: string, isImplied: boolean): void => this.#end(name, isImplied),
      ontext: (data: string): void => this.#add(data),
      onprocessinginstruction: (name: string): void => this.#instruction(name),
    };
    this.#parser = new ClosingParser(handler, { xmlMode: true }, () => this.#bad('a closing tag of nothing'));
  }

  read(): XmlElement {
    this.#parser.parseComplete(this.#source);
    return this.#root ?? this.#bad('no element');
  }

  #begin(written: string, attributes: Record<string, string>): void {
    if (++this.#count > mostElements) this.#bad(`more than ${mostElements} elements`);
    if (this.#open.length === deepest) this.#bad(`elements more than ${deepest} deep`);
    if (this.#open.length === 0 && this.#root !== null) this.#bad('a second root element');
    const name = written.slice(written.indexOf(':') + 1);
    const element = { name, attributes: new Map(Object.entries(attributes)), text: '', children: [], line: this.#at() };
    this.#open.at(-1)?.children.push(element);
    this.#open.push(element);
    this.#root ??= element;
  }

  #end(name: string, isImplied: boolean): void {
    if (isImplied) this.#bad(`<${name}> is not closed`);
    const element = this.#open.pop();
    if (element !== undefined) element.text = element.text.trim();
  }

  #add(data: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += data;
    else if (data.trim() !== '') this.#bad('text beside the root element');
  }

  #instruction(name: string): void {
    if (name.startsWith('!')) this.#bad('a document type declaration');
  }

  #at(): number {
    const to = this.#parser.startIndex;
    for (; this.#counted < to; this.#counted++) if (this.#source.charCodeAt(this.#counted) === lineFeed) this.#line++;
    return this.#line;
  }

  #bad(problem: string): never {
    throw new BadXml(problem, this.#at());
  }
}

const lineFeed = 0x0a;

/** Tells of closing tags to which no element belongs, which otherwise count for nothing; and that `<x/>` is closed. */
class ClosingParser extends Parser {
  readonly #onStray: () => void;
  #closed = 0;
  #isSelfClosing = false;

  constructor(handler: Handler, options: { readonly xmlMode: boolean }, onStray: () => void) {
    const counting = {
      ...handler,
      onclosetag: (name: string, isImplied: boolean): void => {
        this.#closed++;
        handler.onclosetag(name, isImplied && !this.#isSelfClosing);
      },
    };
    super(counting, options);
    this.#onStray = onStray;
  }

  override onselfclosingtag(end: number): void {
    this.#isSelfClosing = true;
    super.onselfclosingtag(end);
    this.#isSelfClosing = false;
  }

  override onclosetag(start: number, end: number): void {
    const before = this.#closed;
    super.onclosetag(start, end);
    if (this.#closed === before) this.#onStray();
  }
}

interface Handler {
  onopentag(name: string, attributes: Record<string, string>): void;
  onclosetag(name: string, isImplied: boolean): void;
  ontext(data: string): void;
  onprocessinginstruction(name: string): void;
}
