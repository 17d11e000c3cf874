import { createTask, validateDetailed, type ScheduledTask } from 'node-cron';
import { epochMs, milliseconds, type EpochMs, type Milliseconds } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';

export interface WindowTimes {
  /** Five fields, as in a crontab. */
  readonly cron: string;
  /** Of the IANA time zone database. */
  readonly timezone: string;
  /** How long it is open from each of these times on. */
  readonly for: Milliseconds;
}

/** What is wrong with a cron expression, in words; null if nothing is. */
export function cronFault(expression: string): string | null {
  const { valid, errors } = validateDetailed(expression);
  return valid ? null : errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
}

/** The times of the day or week at which contents may be pulled. One that was open when a node was stopped is so when it is started. */
export class UpdateWindow {
  readonly #times: WindowTimes;
  readonly #clock: Clock;
  readonly #onChange: (isOpen: boolean) => void;
  readonly #task: ScheduledTask;
  #closing: NodeJS.Timeout | null = null;
  #isOpen = false;

  /** @param onChange called when it is opened, and when it is closed */
  constructor(times: WindowTimes, clock: Clock, onChange: (isOpen: boolean) => void) {
    this.#times = times;
    this.#clock = clock;
    this.#onChange = onChange;
    const { cron, timezone } = times;
    this.#task = createTask(cron, () => this.#look(), { timezone, unref: true, suppressMissedWarning: true });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  start(): void {
    void this.#task.start();
    this.#look();
  }

  /** Idempotent. */
  stop(): void {
    if (this.#closing !== null) clearTimeout(this.#closing);
    this.#closing = null;
    void this.#task.destroy();
  }

  #look(): void {
    const opened = this.#openedAt(this.#clock.now());
    if (this.#closing !== null) clearTimeout(this.#closing);
    this.#closing = null;
    if (opened !== null) {
      const left = opened + this.#times.for - this.#clock.now();
      this.#closing = setTimeout(() => this.#look(), Math.max(1, left)).unref();
    }
    const isOpen = opened !== null;
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    this.#onChange(isOpen);
  }

  /** When the window was opened that is open now; null if none is. */
  #openedAt(now: EpochMs): EpochMs | null {
    const thisMinute = Math.floor(now / minute) * minute;
    for (let at = thisMinute; at > now - this.#times.for; at -= minute) {
      if (this.#task.match(new Date(at))) return epochMs(at);
    }
    return null;
  }
}

const minute = milliseconds(60_000);
