import type { Connection } from './connection.js';

/**
 * Finds connections that can be ended to make room for others: idle ones, those that were opened first before the others.
 * Each search looks at some of them and the next one goes on from there, so that a flood does not make anybody look at all.
 */
export class SpareConnections {
  readonly #all: ReadonlyMap<unknown, Connection | null>;
  #rest: IterableIterator<Connection | null>;

  /** @param all those that are open, as they come and go */
  constructor(all: ReadonlyMap<unknown, Connection | null>) {
    this.#all = all;
    this.#rest = all.values();
  }

  /** Ends one. @returns whether one was found */
  endOne(): boolean {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      let next = this.#rest.next();
      if (next.done === true) {
        this.#rest = this.#all.values();
        next = this.#rest.next();
      }
      if (next.done === true) return false;
      if (next.value?.giveWay() === true) return true;
    }
    return false;
  }
}

const MOST_LOOKS = 64;
