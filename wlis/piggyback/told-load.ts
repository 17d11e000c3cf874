import type { LoadReading } from '../../proxy/base/node-load.js';
import { loadField } from './load-field.js';

/** When a node tells its load: in each tenth answer, and when it differs by more than a tenth from what it told last. */
export class ToldLoads {
  readonly #read: () => LoadReading;
  #since = every;
  #last = 0;

  constructor(read: () => LoadReading) {
    this.#read = read;
  }

  /** The value of `WLIS-Load` for the next answer; null if there is to be none. */
  next(capacity: number): string | null {
    const reading = this.#read();
    const change = Math.abs(reading.load - this.#last);
    if (++this.#since < every && change <= Math.max(0.1 * this.#last, least)) return null;
    this.#since = 0;
    this.#last = reading.load;
    return loadField({ ...reading, capacity });
  }
}

const every = 10;
/** Of hardly any load a tenth is nothing. */
const least = 0.02;
