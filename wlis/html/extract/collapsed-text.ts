/**
 * Gathers text with its white space collapsed: one space where there was any, none at either end. What goes beyond the
 * bound, in UTF-16 code units, is dropped.
 */
export class CollapsedText {
  readonly #longest: number;
  #text = '';
  #gap = false;
  #isCut = false;

  constructor(longest: number) {
    this.#longest = longest;
  }

  add(text: string): void {
    if (this.#isCut) return;
    const collapsed = text.replace(/[\s\u200b]+/g, ' ');
    if (collapsed.startsWith(' ')) this.gap();
    const words = collapsed.trim();
    if (words === '') return;
    this.#append(this.#gap ? ` ${words}` : words);
    this.#gap = collapsed.endsWith(' ');
  }

  /** White space between what was and what comes. */
  gap(): void {
    this.#gap = this.#text !== '';
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** A string of its own, which keeps nothing else in memory. */
  get value(): string {
    return detached(this.#text);
  }

  #append(text: string): void {
    const room = this.#longest - this.#text.length;
    this.#isCut = text.length > room;
    // never half a character
    const end = this.#isCut && /[\ud800-\udbff]/.test(text.charAt(room - 1)) ? room - 1 : room;
    this.#text += this.#isCut ? text.slice(0, end).trimEnd() : text;
  }
}

/** The same text; a part of a long one would keep all of that in memory (V8). */
export const detached = (text: string): string => Buffer.from(text).toString();
