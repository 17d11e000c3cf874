import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import type { JoinRequest } from './join-request.js';
import { childRenewal } from './children.js';
import type { TreeCalls } from './tree-calls.js';

export interface RegistrationOptions {
  readonly calls: TreeCalls;
  readonly clock: Clock;
  readonly request: () => JoinRequest;
  /** The node does not take this one, or cannot be reached. */
  readonly onFailed: (url: string, error: Error) => void;
  /** Something has come of it: it may be looked at again. */
  readonly onDone: () => void;
}

/** Being told of changes by the node that is pulled from, where that is not the primary, and no more by the one before. */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #stopped = new AbortController();
  #at: string | null = null;
  #again: MonotonicMs = monotonicMs(0);
  /** Who did not take this node yet. */
  #refusal: { readonly url: string; readonly times: number } | null = null;
  #underWay: Promise<void> | null = null;
  #leaving: Promise<void> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Where this node is registered; null for nowhere. */
  get at(): string | null {
    return this.#at;
  }

  /**
   * Registers there, if that is due. Null: nowhere.
   * @returns when to look again
   */
  look(url: string | null): Milliseconds | null {
    if (this.#underWay !== null || this.#stopped.signal.aborted) return null;
    if (url === null) {
      this.#moveTo(null);
      return null;
    }
    const isAsked = url === this.#at || url === this.#refusal?.url;
    const wait = isAsked ? this.#again - this.#options.clock.monotonic() : 0;
    if (wait > 0) return milliseconds(wait);
    this.#underWay = this.#register(url).finally(() => {
      this.#underWay = null;
      if (!this.#stopped.signal.aborted) this.#options.onDone();
    });
    return null;
  }

  /** Leaves, and waits for what was begun. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node stops'));
    await this.#underWay;
    await this.#leaving;
  }

  async #register(url: string): Promise<void> {
    const { calls, clock, request, onFailed } = this.#options;
    try {
      const { renewAfter } = await calls.join(url, request(), this.#stopped.signal);
      this.#again = monotonicMs(clock.monotonic() + Math.min(renewAfter, childRenewal));
      this.#refusal = null;
      this.#moveTo(url);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      if (url === this.#at) this.#at = null;
      if (!this.#isPatient(url, error)) onFailed(url, error as Error);
    }
  }

  /** One that does not know yet that this node is in the group, or has too much to do, is asked a few times. */
  #isPatient(url: string, error: unknown): boolean {
    const isPassing = error instanceof CallFailed && (error.fault === 'busy' || error.reason === 'not-admitted');
    const times = (this.#refusal?.url === url ? this.#refusal.times : 0) + 1;
    this.#refusal = isPassing && times <= mostRefusals ? { url, times } : null;
    this.#again = monotonicMs(this.#options.clock.monotonic() + askAgain);
    return this.#refusal !== null;
  }

  #moveTo(url: string | null): void {
    const former = this.#at;
    this.#at = url;
    if (former === null || former === url) return;
    // where this fails it ends by itself
    this.#leaving = this.#options.calls.leave(former, this.#stopped.signal).catch(() => undefined);
  }
}

const mostRefusals = 3;
const askAgain = 1500;
