import { clearTimeout, setTimeout } from 'node:timers';
import { bytes, milliseconds, type Bytes, type EpochMs, type Milliseconds } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { DirectoryCalls } from './directory-calls.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import type { RecordIntake, TakenRecords } from './record-intake.js';
import { parseFeedPage } from './records-format.js';

export interface PeerExchangeOptions {
  /** `https://directory.example` */
  readonly url: string;
  readonly calls: DirectoryCalls;
  readonly intake: RecordIntake;
  readonly refusals: DirectoryRefusals;
  readonly every: () => Milliseconds;
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** How the exchange with a peer goes. */
export interface PeerState {
  readonly url: string;
  /** When it was asked last with success; null if never. */
  readonly askedAt: EpochMs | null;
  /** Times in a row that it could not be asked. */
  readonly failures: number;
  readonly problem: string | null;
  readonly records: TakenRecords;
  readonly received: Bytes;
}

const mostPages = 1000;
const mostDoublings = 4;

/** Asks one other directory again and again for what it has learned since it was asked before. */
export class PeerExchange {
  readonly url: string;
  readonly #options: PeerExchangeOptions;
  readonly #stopped = new AbortController();
  readonly #records = { news: 0, known: 0, refused: 0, passedOver: 0 };
  #received = 0;
  #cursor = '';
  #askedAt: EpochMs | null = null;
  #failures = 0;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #asking: Promise<void> | null = null;

  constructor(options: PeerExchangeOptions) {
    this.#options = options;
    this.url = options.url;
  }

  get state(): PeerState {
    const [askedAt, failures, problem] = [this.#askedAt, this.#failures, this.#problem];
    return {
      url: this.url,
      askedAt,
      failures,
      problem,
      records: { ...this.#records },
      received: bytes(this.#received),
    };
  }

  /** Asks now, and from now on. */
  start(): void {
    void this.ask();
  }

  /** Asks now, if that is not under way. Never rejects. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
      this.#askLater();
    });
    return this.#asking;
  }

  /** It is known no longer how far it was read: everything is read again. */
  begin(): void {
    this.#cursor = '';
  }

  /** The time between two questions is another one. */
  reschedule(): void {
    if (this.#asking === null) this.#askLater();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node stops'));
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { signal } = this.#stopped;
    const { logger, refusals, now } = this.#options;
    if (signal.aborted) return;
    try {
      for (let page = 0; page < mostPages; page++) if (!(await this.#askPage(signal))) break;
      if (this.#failures > 0) logger.info({ code: 'peer-well', url: this.url }, 'a peer answers again');
      [this.#failures, this.#problem, this.#askedAt] = [0, null, now()];
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#failures++;
      this.#problem = error instanceof Error ? error.message : String(error);
      const isLie = refusals.note(this.url, this.url, error);
      const event = { code: 'peer-failed', url: this.url, error };
      if (this.#failures === 1 && !isLie) logger.warn(event, 'a peer does not tell what it has learned');
      else logger.debug(event, 'a peer does not tell what it has learned');
    }
  }

  /** @returns whether there is more */
  async #askPage(signal: AbortSignal): Promise<boolean> {
    const { calls, intake } = this.#options;
    const text = await calls.records(this.url, this.#cursor, signal);
    this.#received += text.length;
    const { records, cursor, more } = parseFeedPage(text);
    const taken = await intake.take(records, this.url, signal);
    for (const key of ['news', 'known', 'refused', 'passedOver'] as const) this.#records[key] += taken[key];
    const isFurther = cursor !== this.#cursor;
    this.#cursor = cursor;
    return more && isFurther;
  }

  /** Not all who ask the same one ask at once. */
  #askLater(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped.signal.aborted) return;
    const { every, chance } = this.#options;
    const time = every() * 2 ** Math.min(mostDoublings, this.#failures) * (0.75 + chance() / 2);
    this.#timer = setTimeout(() => void this.ask(), milliseconds(Math.max(1, time))).unref();
  }
}
