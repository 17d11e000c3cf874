import type { Connection } from './connection.js';

/**
 * Finds connections that can be ended to make room for others: idle ones, those that were opened first before the others.
 * Each search looks at some of them and the next one goes on from there, so that a flood does not make anybody look at all.
 *
 * To be rewound now and then: a place in a map keeps alive what the map has held since, connections that are gone and all.
 */
export class SpareConnections {
  readonly #all: ReadonlyMap<unknown, Connection | null>;
  #rest: IterableIterator<Connection | null> | null = null;

  /** @param all those that are open, as they come and go */
  constructor(all: ReadonlyMap<unknown, Connection | null>) {
    this.#all = all;
  }

  /** The next search begins at the front. */
  rewind(): void {
    this.#rest = null;
  }

  /** Ends one. @returns whether one was found */
  endOne(): boolean {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      let next = this.#rest?.next();
      if (next === undefined || next.done === true) {
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
