import { elapsedMonotonic, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';
import { CallFailed } from './call-failed.js';
import { secondsText, unreachable } from './call-failures.js';

export interface Patience {
  readonly url: string;
  /** How long its reader may wait altogether for the next 16 KiB, or for the end: silence and dribbling come to the same. */
  readonly patience: Milliseconds;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What another node sends, as long as it sends it. `read` rejects with CallFailed unreachable, or with the signal's reason. */
export class PatientBody implements Body {
  readonly length: Bytes | null;
  readonly #body: Body;
  readonly #options: Patience;
  #left: Milliseconds;
  #portion = 0;
  /** Whether there is nothing more to be had of the body. */
  #isOver = false;
  #giveUp: ((reason: Error) => void) | null = null;

  constructor(body: Body, options: Patience) {
    this.#body = body;
    this.length = body.length;
    this.#options = options;
    this.#left = options.patience;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
  }

  get trailers(): Fields {
    return this.#body.trailers;
  }

  async read(): Promise<Buffer | null> {
    const { url, signal } = this.#options;
    signal.throwIfAborted();
    if (this.#isOver) return null;
    try {
      const chunk = this.#body.read();
      return this.#take(chunk instanceof Promise ? await this.#awaited(chunk) : chunk);
    } catch (error) {
      this.cancel();
      throw error instanceof CallFailed || signal.aborted ? error : unreachable(url, error);
    }
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#end();
    this.#body.cancel();
  }

  #take(chunk: Buffer | null): Buffer | null {
    if (chunk === null) {
      this.#end();
      return null;
    }
    this.#portion += chunk.length;
    if (this.#portion < portion) return chunk;
    this.#portion = 0;
    this.#left = this.#options.patience;
    return chunk;
  }

  async #awaited(chunk: Promise<Buffer | null>): Promise<Buffer | null> {
    const { url, patience, clock } = this.#options;
    const since = clock.monotonic();
    const givenUp = new Promise<never>((_, reject) => (this.#giveUp = reject));
    const timer = setTimeout(() => {
      const late = `less than ${portion / 1024} KiB, and no end, in ${secondsText(patience)}`;
      this.#giveUp?.(new CallFailed('unreachable', url, 'silent', late));
    }, this.#left);
    try {
      return await Promise.race([chunk, givenUp]);
    } finally {
      clearTimeout(timer);
      this.#giveUp = null;
      this.#left = milliseconds(Math.max(0, this.#left - elapsedMonotonic(since, clock.monotonic())));
    }
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#options.signal as { reason: Error };
    this.#giveUp?.(reason);
    this.cancel();
  };

  #end(): void {
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }
}

const portion = 16_384;
