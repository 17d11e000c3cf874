import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';

/**
 * How long a connection may be silent, in either direction. Coarse: looked at now and then, instead of by a timer for every
 * wait, so that neither a byte nor another limit costs anything. A limit is never shorter than it says, and longer by two
 * looks at most.
 */
export class Silence {
  readonly #passed: () => Bytes;
  readonly #interval: Milliseconds;
  readonly #onMissed: () => void;
  readonly #timer: NodeJS.Timeout;
  #limit: Milliseconds;
  #looks = 0;
  #before = bytes(0);

  /**
   * @param passed counts what breaks the silence without a call of `broken`
   * @param shortest of all limits that will be set; the first one is none
   * @param onMissed called at every look from then on, until something is heard, or another limit set
   */
  constructor(passed: () => Bytes, shortest: Milliseconds, onMissed: () => void) {
    this.#passed = passed;
    this.#interval = milliseconds(Math.min(longestInterval, Math.max(shortestInterval, shortest / 4)));
    this.#onMissed = onMissed;
    this.#limit = milliseconds(Infinity);
    this.#timer = setInterval(() => this.#look(), this.#interval).unref();
  }

  /** Something has come. */
  broken(): void {
    this.#looks = 0;
  }

  /** From now on so long a silence is too long. */
  limit(limit: Milliseconds): void {
    this.#limit = limit;
    this.#looks = 0;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const passed = this.#passed();
    if (passed !== this.#before) this.#looks = 0;
    this.#before = passed;
    // the time before the first look is not known
    if (this.#looks++ * this.#interval >= this.#limit) this.#onMissed();
  }
}

const shortestInterval = 10;
const longestInterval = 1000;
