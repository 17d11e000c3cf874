import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Edit, EditedFiles } from './edited-files.js';
import { HeadFollower } from './head-follower.js';

/** A change on its way. */
export interface Spreading {
  /** The number of the last change that belongs to it. */
  readonly seq: number;
  readonly edits: readonly Edit[];
  /** Of each node, in their order: milliseconds from the saving of the file until it held the change; null if it does not yet. */
  readonly times: readonly (number | null)[];
  readonly isOver: boolean;
}

export interface SpreadOptions {
  readonly namespace: string;
  /** Of the nodes, the primary first. */
  readonly urls: readonly string[];
  readonly files: EditedFiles;
  readonly clock: Clock;
  readonly show: (spreading: Spreading) => void;
}

/** Watches changes spread over the nodes, and shows each as it comes along. */
export class Spread {
  readonly #options: SpreadOptions;
  readonly #followers: readonly HeadFollower[];
  #wake: () => void = () => undefined;
  #shown = 0;

  constructor(options: SpreadOptions) {
    this.#options = options;
    const { namespace, urls, clock } = options;
    this.#followers = urls.map((url) => new HeadFollower(url, namespace, clock, () => this.#wake()));
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    const following = this.#followers.map((follower) => follower.follow(signal));
    const [primary] = this.#followers;
    while (!signal.aborted) {
      const seq = primary?.seq ?? 0;
      if (seq > this.#shown) {
        const isFirst = this.#shown === 0;
        this.#shown = seq;
        if (!isFirst) await this.#showChange(seq, signal).catch(ignoreIfAborted(signal));
      } else await this.#news(null);
    }
    await Promise.all(following);
  }

  async #showChange(seq: number, signal: AbortSignal): Promise<void> {
    const { files, show, clock } = this.#options;
    const edits = await files.published(signal);
    const savedAt = Math.max(...edits.map(({ at }) => at));
    if (edits.length === 0) return;
    const until = clock.now() + spreadPatience;
    const timesNow = () => this.#followers.map((follower) => since(savedAt, follower.arrivalOf(seq)));
    let times = timesNow();
    while (times.includes(null) && clock.now() < until && !signal.aborted) {
      show({ seq, edits, times, isOver: false });
      await this.#news(until - clock.now());
      times = timesNow();
    }
    show({ seq, edits, times, isOver: true });
  }

  async #news(within: number | null): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (within !== null) timer = setTimeout(resolve, Math.max(0, within));
    });
    clearTimeout(timer);
  }
}

const since = (from: number, at: EpochMs | null): number | null => (at === null ? null : Math.max(0, at - from));

const ignoreIfAborted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    // the primary may have been stopped, to see what becomes of its replicas
    if (!signal.aborted && !(error instanceof TypeError)) throw error;
  };

const spreadPatience = 15_000;
