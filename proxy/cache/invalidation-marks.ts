import type { Bytes } from '../../config/units.js';
import type { Generation } from './response-store.js';

/**
 * The order of invalidations: what was invalidated after which point. Marks are kept for as many subjects (cache keys,
 * groups) as fit into a bound; when the oldest is dropped, the floor rises to it, and for everything begun before the
 * floor the answer is "invalidated": too much is validated then, never too little.
 */
export class InvalidationMarks {
  readonly #limit: Bytes;
  readonly #order: InvalidationOrder;
  /** Subject to the generation that its invalidation began, oldest first. */
  readonly #marks = new Map<string, number>();
  #bytes = 0;
  #floor = 0;

  /**
   * @param limit for all subjects together, one byte a character and a fixed part each
   * @param order which other marks may share
   */
  constructor(limit: Bytes, order = new InvalidationOrder()) {
    this.#limit = limit;
    this.#order = order;
  }

  /** The generation in which a request that is sent now begins. */
  current(): Generation {
    return this.#order.current();
  }

  add(subject: string): void {
    if (!this.#marks.delete(subject)) this.#bytes += cost(subject);
    this.#marks.set(subject, this.#order.next());
    while (this.#bytes > this.#limit) this.#dropOldest();
  }

  /** Whether the subject was, or may have been, invalidated after `generation`. */
  isAfter(subject: string, generation: Generation): boolean {
    return generation < this.#floor || (this.#marks.get(subject) ?? 0) > generation;
  }

  /** Whether any subject that passes the test was, or may have been, invalidated after `generation`. */
  isAnyAfter(test: (subject: string) => boolean, generation: Generation): boolean {
    if (generation < this.#floor) return true;
    for (const [subject, at] of this.#marks) if (at > generation && test(subject)) return true;
    return false;
  }

  #dropOldest(): void {
    for (const [subject, generation] of this.#marks) {
      this.#marks.delete(subject);
      this.#bytes -= cost(subject);
      this.#floor = generation;
      return;
    }
  }
}

/** Counts what invalidates. */
export class InvalidationOrder {
  #current = 0;

  current(): Generation {
    return this.#current as Generation;
  }

  next(): Generation {
    this.#current++;
    return this.current();
  }
}

/** A map's slot and the header of a string take about a hundred bytes. */
const cost = (subject: string): number => subject.length + 100;
