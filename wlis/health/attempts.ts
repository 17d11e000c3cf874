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
  /** Bytes of content have come; how long they took is measured from one call to the next while the reader waits for them. */
  received(size: Bytes): void;
  done(): void;
  failed(reason: FailureReason): void;
  /** Nobody wants it any more: it says nothing about the node. */
  abandoned(): void;
}
