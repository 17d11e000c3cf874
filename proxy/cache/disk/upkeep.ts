import type { Bytes } from '../../../config/units.js';
import { WillisError } from '../../base/errors.js';

/** Work on a whole store by order of the operator. */
export type UpkeepWork = 'verify' | 'rebuild' | 'compact';

/** How far it has come. */
export interface UpkeepProgress {
  /** What it goes through at the moment. */
  readonly phase: 'index' | 'responses' | 'files';
  /** Stored responses that are done, and about how many there are. */
  readonly responses: number;
  readonly ofResponses: number;
  /** The same as they count against the limit. */
  readonly bytes: Bytes;
  readonly ofBytes: Bytes;
  /** Of the responses those that are lost. */
  readonly damaged: number;
}

export interface UpkeepOptions {
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Called often. */
  readonly onProgress: (progress: UpkeepProgress) => void;
}

/** Lets one such work go on at a time. */
export class Upkeep {
  readonly #closing = new AbortController();
  #work: UpkeepWork | null = null;
  #done: Promise<unknown> = Promise.resolve();

  /** What is under way. */
  get work(): UpkeepWork | null {
    return this.#work;
  }

  /** @throws WillisError store-busy, at once, if something is under way; rejects as the task does */
  begin<T>(work: UpkeepWork, signal: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#work !== null)
      throw new WillisError('store-busy', `${underWay[this.#work]}; wait for its end, or end it`);
    if (this.#closing.signal.aborted) throw new WillisError('store-busy', 'the store is being closed');
    this.#work = work;
    const done = task(AbortSignal.any([signal, this.#closing.signal])).finally(() => {
      this.#work = null;
    });
    this.#done = done.catch(() => undefined);
    return done;
  }

  /** Ends what is under way, and lets nothing begin any more. Fulfilled when it has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }
}

const underWay: Readonly<Record<UpkeepWork, string>> = {
  verify: 'everything in the store is being checked',
  rebuild: 'the index of the store is being made anew',
  compact: 'the store is being compacted',
};
