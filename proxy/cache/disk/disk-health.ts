import { setTimeout as later } from 'node:timers';
import type { Milliseconds } from '../../../config/units.js';
import { isDamage } from '../../base/key-value.js';
import { diskFault } from './disk-fault.js';

/**
 * Why a store is unwell. `failing`: the disk does not do what it should; `repairing`: the index is damaged, or slow to open,
 * and is being opened or repaired; `ordered`: it is made anew because the operator said so.
 */
export type UnwellReason = 'failing' | 'repairing' | 'ordered';

export interface HealthOptions {
  /** Called once when the store begins to be unwell, again if it then turns out that the disk fails. */
  readonly onUnwell: (error: unknown, reason: UnwellReason) => void;
  /** Called once when that is over. */
  readonly onWell: () => void;
  /** How long after a failure it is tried again. */
  readonly retryAfter: Milliseconds;
  /** Makes the store ready to go on; rejects if the disk does not let it. */
  readonly recover: (cause: unknown) => Promise<void>;
}

/** Whether the disk does its work. When it begins to fail nothing is asked of it until a trial succeeds. */
export class DiskHealth {
  readonly #options: HealthOptions;
  #cause: unknown = null;
  #reason: UnwellReason = 'failing';
  #timer: NodeJS.Timeout | null = null;
  #trial: Promise<void> | null = null;
  #closed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get isWell(): boolean {
    return this.#cause === null;
  }

  /** Something failed. What concerns one file only, or has to do with how many are open, does not count. */
  failed(error: unknown): void {
    const fault = diskFault(error);
    if (fault === 'damaged' || fault === 'busy') return;
    this.begin(error);
  }

  /**
   * It is unwell from now on.
   * @param trial to make it well again, which is under way; otherwise there is one at once if that may help, or later
   */
  begin(cause: unknown, trial?: Promise<void>, reason: UnwellReason = isDamage(cause) ? 'repairing' : 'failing'): void {
    if (this.#closed || this.#cause !== null) return;
    this.#cause = cause;
    this.#reason = reason;
    this.#options.onUnwell(cause, reason);
    if (trial !== undefined) this.#trial = this.#try(trial);
    // waiting makes nothing of it better
    else if (isDamage(cause)) this.#trial = this.#try(this.#options.recover(cause));
    else this.#tryLater();
  }

  /** What the disk gives, or what stands for nothing if it fails. */
  async orElse<T>(work: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.failed(error);
      return otherwise;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#trial;
  }

  #tryLater(): void {
    if (this.#closed) return;
    this.#timer = later(() => {
      this.#trial = this.#try(this.#options.recover(this.#cause));
    }, this.#options.retryAfter);
    this.#timer.unref();
  }

  async #try(trial: Promise<void>): Promise<void> {
    try {
      await trial;
      this.#cause = null;
      if (!this.#closed) this.#options.onWell();
    } catch (error) {
      this.#cause = error;
      if (this.#reason !== 'failing' && !this.#closed) {
        this.#reason = 'failing';
        this.#options.onUnwell(error, 'failing');
      }
      this.#tryLater();
    }
  }
}
