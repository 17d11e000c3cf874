import type { Bytes } from '../../config/units.js';
import type { Generation } from './response-store.js';

/**
 * The order of invalidations: what was invalidated after which point. Marks are kept for as many subjects (cache keys,
 * groups) as fit into a bound; when the oldest is dropped, the floor rises to it, and for everything begun before the
 * floor the answer is "invalidated": too much is validated then, never too little.
 */
export class InvalidationMarks {
  readonly #limit: Bytes;
  /** Subject to the generation that its invalidation began, oldest first. */
  readonly #marks = new Map<string, number>();
  #bytes = 0;
  #current = 0;
  #floor = 0;

  /** @param limit for all subjects together, one byte a character and a fixed part each */
  constructor(limit: Bytes) {
    this.#limit = limit;
  }

  /** The generation in which a request that is sent now begins. */
  current(): Generation {
    return this.#current as Generation;
  }

  add(subject: string): void {
    this.#current++;
    if (!this.#marks.delete(subject)) this.#bytes += cost(subject);
    this.#marks.set(subject, this.#current);
    while (this.#bytes > this.#limit) this.#dropOldest();
  }

  /** Whether the subject was, or may have been, invalidated after `generation`. */
  isAfter(subject: string, generation: Generation): boolean {
    return generation < this.#floor || (this.#marks.get(subject) ?? 0) > generation;
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

/** A map's slot and the header of a string take about a hundred bytes. */
const cost = (subject: string): number => subject.length + 100;
