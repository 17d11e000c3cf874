import { bytes, type Bytes } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { DraftedContent } from '../blob-draft.js';
import type { BlobStore } from '../blob-store.js';
import { ContentPull, type ContentSources } from './content-pull.js';
import type { PullSettings } from './sourced-blocks.js';

/** A part in the pull of a content. */
export interface SharedPull {
  readonly pull: ContentPull;
  /** As `ContentPull.run`. */
  readonly done: Promise<void>;
  /** When all have left, the pull ends. Idempotent; waits for that. */
  leave(): Promise<void>;
}

interface Running {
  readonly pull: ContentPull;
  readonly done: Promise<void>;
  readonly ending: AbortController;
  users: number;
}

/** The pulls into a store: whoever wants a content that is being pulled already has part in that. */
export class ContentPulls {
  readonly #store: BlobStore;
  readonly #settings: PullSettings;
  readonly #running = new Map<Digest, Running>();

  constructor(store: BlobStore, settings: PullSettings) {
    this.#store = store;
    this.#settings = settings;
  }

  get settings(): PullSettings {
    return this.#settings;
  }

  /** How much has come of a content that is being pulled. */
  positionOf(digest: Digest): Bytes {
    return this.#running.get(digest)?.pull.position ?? bytes(0);
  }

  /**
   * @param from of whoever comes first
   * @throws what the signal has as its reason, while a former pull of it is ending
   */
  async join(
    content: DraftedContent,
    relatives: readonly DraftedContent[],
    from: ContentSources,
    signal: AbortSignal,
  ): Promise<SharedPull> {
    for (;;) {
      signal.throwIfAborted();
      const running = this.#running.get(content.digest);
      if (running === undefined) return this.#part(this.#begin(content, relatives, from));
      if (!running.ending.signal.aborted) return this.#part(running);
      await running.done.catch(() => undefined);
    }
  }

  #begin(content: DraftedContent, relatives: readonly DraftedContent[], from: ContentSources): Running {
    const { digest } = content;
    const ending = new AbortController();
    const pull = new ContentPull({ store: this.#store, settings: this.#settings, content, relatives, from });
    const done = pull.run(ending.signal).finally(() => this.#running.delete(digest));
    // whoever has part in it learns of it
    done.catch(() => undefined);
    const running: Running = { pull, done, ending, users: 0 };
    this.#running.set(digest, running);
    return running;
  }

  #part(running: Running): SharedPull {
    running.users++;
    let isIn = true;
    return {
      pull: running.pull,
      done: running.done,
      leave: async () => {
        if (isIn && --running.users === 0) {
          running.ending.abort(new DOMException('nobody wants it any more', 'AbortError'));
        }
        isIn = false;
        if (running.ending.signal.aborted) await running.done.catch(() => undefined);
      },
    };
  }
}

/** @throws what the signal has as its reason */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
