import { epochMs, type EpochMs, type Milliseconds } from '../config/units.js';
import type { KeyId } from './trust/public-key.js';

/**
 * Remembers the calls of the last minutes, so that none counts twice. Where there are too many, the oldest of whoever calls
 * most are forgotten, and nothing as old as a forgotten one is taken from there any more: a flood shortens the time that
 * calls of its own sender have to arrive, and lets none in again. That also holds if the clock is put back.
 */
export class CallReplays {
  readonly #callers = new Map<KeyId, Caller>();
  /** The same for callers of whom nothing is remembered. */
  #forgotten = epochMs(-1);
  #size = 0;

  /**
   * @param window how long a call may be under way; the caller refuses those outside
   * @param most how many calls are remembered
   */
  constructor(
    readonly window: Milliseconds,
    readonly most = 65_536,
  ) {}

  /** How many calls are remembered. */
  get size(): number {
    return this.#size;
  }

  /** Whether this call was not taken before; it is taken now. */
  take(from: KeyId, nonce: string, created: EpochMs, now: EpochMs): boolean {
    const known = this.#callers.get(from);
    const caller = known ?? { nonces: new Map<string, EpochMs>(), forgotten: this.#forgotten };
    if (created <= caller.forgotten || caller.nonces.has(nonce)) return false;
    if (known === undefined) this.#callers.set(from, caller);
    caller.nonces.set(nonce, created);
    this.#size++;
    this.#forgetEnded(caller, now);
    if (this.#size > this.most) this.#makeRoom(now);
    return true;
  }

  #makeRoom(now: EpochMs): void {
    let fullest: Caller | null = null;
    for (const [id, caller] of this.#callers) {
      this.#forgetEnded(caller, now);
      if (caller.nonces.size === 0) {
        this.#forgotten = later(this.#forgotten, caller.forgotten);
        this.#callers.delete(id);
      } else if (fullest === null || caller.nonces.size > fullest.nonces.size) fullest = caller;
    }
    if (fullest !== null && this.#size > this.most) this.#forgetFirst(fullest);
  }

  #forgetEnded(caller: Caller, now: EpochMs): void {
    for (const created of caller.nonces.values()) {
      if (created + this.window >= now) return;
      this.#forgetFirst(caller);
    }
  }

  #forgetFirst(caller: Caller): void {
    for (const [nonce, created] of caller.nonces) {
      caller.nonces.delete(nonce);
      caller.forgotten = later(caller.forgotten, created);
      this.#size--;
      return;
    }
  }
}

interface Caller {
  /** When each call was made, by its nonce, in the order in which they came. */
  readonly nonces: Map<string, EpochMs>;
  /** The latest of those that are not remembered any more. */
  forgotten: EpochMs;
}

const later = (a: EpochMs, b: EpochMs): EpochMs => (a > b ? a : b);
