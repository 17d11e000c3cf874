import type { Milliseconds } from '../../config/units.js';

/** A limit on how long the other side may be silent. It runs only between `start` and `stop`. */
export class Deadline {
  readonly #after: Milliseconds;
  readonly #onMissed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(after: Milliseconds, onMissed: () => void) {
    this.#after = after;
    this.#onMissed = onMissed;
  }

  /** Begins, or begins again. */
  start(): void {
    this.#running = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#expire(), this.#after);
    else this.#timer.refresh();
  }

  /** Cheap: the timer stays and is refreshed by the next `start`. */
  stop(): void {
    this.#running = false;
  }

  end(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #expire(): void {
    if (this.#running) this.#onMissed();
  }
}
