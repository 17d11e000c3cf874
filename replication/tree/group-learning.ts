import { setTimeout as pause } from 'node:timers/promises';
import { milliseconds, monotonicMs, type EpochMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import { disbelieved } from '../../wlis/calls/call-failures.js';
import type { KnownGroup } from '../../wlis/known-group.js';
import type { Source } from './source-order.js';
import type { TreeCalls } from './tree-calls.js';

export interface GroupLearningOptions {
  readonly calls: TreeCalls;
  readonly group: KnownGroup;
  readonly sources: () => readonly Source[];
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** A newer group was learned. */
  readonly onNews: () => void;
  /** None came from there, or one that is perhaps not believed. */
  readonly onRefused: (url: string, error: unknown) => void;
}

/** Asks other nodes for a newer statement of the group, where the primary does not send one with its answers. */
export class GroupLearning {
  readonly #options: GroupLearningOptions;
  readonly #stopped = new AbortController();
  #underWay: Promise<void> | null = null;
  #askedAt: MonotonicMs = monotonicMs(-Infinity);

  constructor(options: GroupLearningOptions) {
    this.#options = options;
  }

  /** Asks, if that was not done a moment ago. Fulfilled when that is over, with or without news. */
  async ask(): Promise<void> {
    const { clock } = this.#options;
    if (this.#underWay === null && !this.#isFresh(askEvery)) {
      this.#askedAt = clock.monotonic();
      this.#underWay = this.#ask().finally(() => (this.#underWay = null));
    }
    await this.#underWay;
  }

  /** Asks if what is known should have been stated anew, as long as nobody does. */
  look(): void {
    if (this.#isOld() && !this.#isFresh(lookEvery)) void this.ask();
  }

  /** Asks these one after the other until one has a newer one, if nobody was asked a moment ago: the primary cannot be found. */
  seek(sources: readonly Source[]): void {
    if (this.#underWay !== null || this.#isFresh(askEvery)) return;
    this.#askedAt = this.#options.clock.monotonic();
    this.#underWay = this.#seek(sources).finally(() => (this.#underWay = null));
  }

  /** Asks all of these at once. Fulfilled when they have answered, or the time for that is over. */
  async gather(sources: readonly Source[]): Promise<void> {
    const asked = sources.slice(0, mostAsked).map((source) => this.#seek([source]));
    await Promise.race([Promise.all(asked), pause(gatherTime, undefined, { ref: false })]);
  }

  /** A node has what no group that is known here is about: it is asked, if nobody was a moment ago. */
  heardOf(url: string): void {
    this.seek([{ url }]);
  }

  /** @returns whether it had a newer one @throws CallFailed */
  async from(url: string): Promise<boolean> {
    const { calls, group, now, onNews } = this.#options;
    const jws = await calls.group(url, this.#stopped.signal);
    const isNews = await group.take(jws, now()).catch((error: unknown) => {
      throw disbelieved(url, error);
    });
    if (isNews) onNews();
    return isNews;
  }

  /** Ends what is under way, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node stops'));
    await this.#underWay;
  }

  async #ask(): Promise<void> {
    for (const { url } of this.#options.sources().slice(0, mostAsked)) {
      try {
        await this.from(url);
        if (!this.#isOld()) return;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        this.#failed(url, error);
      }
    }
  }

  #failed(url: string, error: unknown): void {
    const { logger, onRefused } = this.#options;
    logger.debug({ code: 'group-not-learned', url, error }, 'no group came from there');
    onRefused(url, error);
  }

  async #seek(sources: readonly Source[]): Promise<void> {
    for (const { url } of sources) {
      try {
        if (await this.from(url)) return;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        this.#failed(url, error);
      }
    }
  }

  #isFresh(time: Milliseconds): boolean {
    return this.#options.clock.monotonic() - this.#askedAt < time;
  }

  #isOld(): boolean {
    const refreshAfter = this.#options.group.current?.group.refreshAfter;
    return refreshAfter !== undefined && this.#options.now() >= refreshAfter;
  }
}

const askEvery = milliseconds(1000);
const lookEvery = milliseconds(60_000);
const mostAsked = 6;
const gatherTime = milliseconds(5000);
