import type { EndTagWatch } from './end-tag-watch.js';

/** Is told of the tags of a page in their order. All places are offsets from its beginning. */
export interface TagSink {
  /**
   * Characters outside tags, comments and elements of raw text; what stands together may come in parts.
   *
   * @param at of the first of them
   */
  text(chunk: Buffer, from: number, to: number, at: number): void;
  /**
   * `<name` was read.
   *
   * @param name in lower case; cut if it is longer than any that is known
   * @param at where its `<` is
   * @param to where the name ends
   * @returns whether it matters what attributes it has
   */
  startTag(name: string, at: number, to: number): boolean;
  /** @param name as that of a tag. @returns whether its value matters */
  attribute(name: string): boolean;
  /** The value of such an attribute begins, perhaps with a quote. */
  valueBegins(at: number): void;
  /** @param to behind the quote, if there is one */
  valueEnds(to: number, isQuoted: boolean): void;
  /** @param end behind its `>`. @returns whether what follows is text up to `</name` */
  startTagEnds(end: number, isSelfClosing: boolean): boolean;
  /** `</name` was read. */
  endTag(name: string, at: number, to: number): void;
  endTagEnds(end: number): void;
  /** Whether `<![CDATA[` is what it says, and not a comment. */
  hasCdata(): boolean;
  /** What is watched for has come, and that was not told as a tag. */
  seen(): void;
}

/** What the sink wants. */
export interface TokenizerControl {
  /** Nothing more is read. */
  isStopped: boolean;
  /** Is shown all bytes from where it is set on until it is taken off. */
  watch: EndTagWatch | null;
}
