import { milliseconds, type Milliseconds } from '../../config/units.js';

export interface ReplicaRoundsOptions {
  /** Asks for news. @returns whether it came to something; it does not reject */
  readonly round: () => Promise<boolean>;
  /** Ends when there may be news, where nobody can tell of them; rejects if that cannot be waited for. Null: somebody tells. */
  readonly wait: ((signal: AbortSignal) => Promise<void>) | null;
  /** How long nobody has to tell of news before they are asked for. */
  readonly every: Milliseconds;
  readonly timer?: RoundTimer;
  /** From 0 to below 1. */
  readonly chance?: () => number;
}

/** Calls back once, some time later. @returns what prevents that */
export type RoundTimer = (then: () => void, after: Milliseconds) => () => void;

const setTimer: RoundTimer = (then, after) => {
  const timer = setTimeout(then, after);
  return () => clearTimeout(timer);
};

const firstRetry = milliseconds(500);

/**
 * When a replica asks for news: at once when it is told of some, and at most once at a time, however often it is told; every
 * now and then; and after failures later and later, up to that interval. Times are spread, so that many do not come at once.
 */
export class ReplicaRounds {
  readonly #options: ReplicaRoundsOptions;
  #clearTimer: () => void = () => undefined;
  #running: Promise<void> | null = null;
  #isAwake = false;
  #failures = 0;
  #waiting: AbortController | null = null;
  #stopped = false;

  constructor(options: ReplicaRoundsOptions) {
    this.#options = options;
  }

  /** There may be news. */
  wake(): void {
    if (this.#stopped) return;
    this.#isAwake = true;
    this.#waiting?.abort();
    this.#clearTimer();
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#isAwake) this.wake();
    });
  }

  /** Idempotent; fulfilled when no round is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting?.abort();
    this.#clearTimer();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isCalled()) {
      const isWell = await this.#options.round();
      this.#failures = isWell ? 0 : this.#failures + 1;
      if (isWell) await this.#wait();
    }
    if (!this.#stopped) this.#later();
  }

  /** Whether there may be news that no round has asked for yet; the next one does. */
  #isCalled(): boolean {
    const isCalled = this.#isAwake && !this.#stopped;
    this.#isAwake = false;
    return isCalled;
  }

  /** Goes on at once when somebody says that there are news; otherwise the timer does. */
  async #wait(): Promise<void> {
    if (this.#options.wait === null || this.#isAwake || this.#stopped) return;
    this.#waiting = new AbortController();
    try {
      await this.#options.wait(this.#waiting.signal);
      this.#isAwake = true;
    } catch {
      // the timer asks
    } finally {
      this.#waiting = null;
    }
  }

  #later(): void {
    const { every, timer = setTimer, chance = Math.random } = this.#options;
    const usual = this.#failures === 0 ? every : Math.min(every, firstRetry * 2 ** Math.min(this.#failures - 1, 16));
    this.#clearTimer = timer(() => this.wake(), milliseconds(usual * (0.75 + chance() / 2)));
  }
}
