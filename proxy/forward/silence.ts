import type { Socket } from 'node:net';
import { bytes, milliseconds, type Milliseconds } from '../../config/units.js';
import { bytesSent } from '../http/bytes-sent.js';

/**
 * How long a connection may be silent, in either direction. Coarse: looked at now and then, instead of by a timer for every
 * wait, so that neither a byte nor another limit costs anything. A limit is never shorter than it says, and longer by two
 * looks at most.
 */
export class Silence {
  readonly #socket: Socket;
  readonly #interval: Milliseconds;
  readonly #onMissed: () => void;
  readonly #timer: NodeJS.Timeout;
  #limit: Milliseconds;
  #looks = 0;
  #sent = bytes(0);

  /**
   * @param shortest of all limits that will be set; the first one is none
   * @param onMissed called at every look from then on, until something is heard, or another limit set
   */
  constructor(socket: Socket, shortest: Milliseconds, onMissed: () => void) {
    this.#socket = socket;
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
    const sent = bytesSent(this.#socket);
    if (sent !== this.#sent) this.#looks = 0;
    this.#sent = sent;
    // the time before the first look is not known
    if (this.#looks++ * this.#interval >= this.#limit) this.#onMissed();
  }
}

const shortestInterval = 10;
const longestInterval = 1000;
