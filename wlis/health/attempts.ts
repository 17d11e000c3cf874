import type { Bytes } from '../../config/units.js';
import type { FailureReason } from '../choice/choice.js';

/** Tells the health of nodes how requests to them went. */
export interface Attempts {
  /** A request is sent to a node. */
  begin(url: string): Attempt;
  /** A node has said how loaded it is (`WLIS-Load`); only what did not come out of a cache counts (decision 15). */
  loaded(url: string, load: number): void;
}

/** One request to a node. Ends with one of `done`, `failed` and `abandoned`; what is called afterwards does nothing. */
export interface Attempt {
  /** The first of the answer is there. */
  answered(): void;
  /** The reader waits for content from now on: what it did before that was its own time, and not the node's. */
  waits(): void;
  /** Bytes of content have come. What long answers bring in a second is measured from these two. */
  received(size: Bytes): void;
  /** All of it has come, and is believed. */
  done(): void;
  /** @param detail in some words, for those who ask why the node is not used: `a 404 without proof` */
  failed(reason: FailureReason, detail?: string): void;
  /** Nobody wants it any more: it says nothing about the node. */
  abandoned(): void;
}
