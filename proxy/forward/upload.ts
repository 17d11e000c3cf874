import type { Body } from '../http/body.js';
import type { Deadline } from './deadline.js';

/**
 * A request's content on its way to the origin server. The deadline of the answer runs while the origin server has the
 * next step, and stands still while the client has it.
 */
export class Upload implements AsyncIterable<Buffer> {
  readonly body: Body;
  readonly #deadline: Deadline;
  #state: 'untouched' | 'reading' | 'complete' | 'ended' = 'untouched';

  constructor(body: Body, deadline: Deadline) {
    this.body = body;
    this.#deadline = deadline;
  }

  /** Whether nothing has been read of the body, so that it could be sent again. */
  get untouched(): boolean {
    return this.#state === 'untouched';
  }

  /** The body ends early because the exchange is over; without effect if it was read to its end or not at all. */
  end(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'ended';
    this.body.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    try {
      for (;;) {
        this.#state = 'reading';
        const next = this.body.read();
        const chunk = next instanceof Promise ? await this.#waitFor(next) : next;
        if (chunk === null) break;
        yield chunk;
      }
      this.#state = 'complete';
    } finally {
      this.end();
    }
  }

  async #waitFor(next: Promise<Buffer | null>): Promise<Buffer | null> {
    this.#deadline.stop();
    const chunk = await next;
    this.#deadline.start();
    return chunk;
  }
}
