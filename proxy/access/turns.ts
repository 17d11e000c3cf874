/** Lets so many tasks run at a time, and so many wait for their turn, in the order in which they came. */
export class Turns {
  readonly #atOnce: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }) {
    this.#atOnce = atOnce;
    this.#most = waiting;
  }

  /** Whether one more task would have nowhere to wait. */
  get isFull(): boolean {
    return this.#running >= this.#atOnce && this.#waiting.length >= this.#most;
  }

  /** Runs a task when it is its turn; null, and it does not run, if there is nowhere to wait. */
  async run<T>(task: () => Promise<T>): Promise<T | null> {
    if (this.isFull) return null;
    if (this.#running < this.#atOnce) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // whoever is next takes over this one's place
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
