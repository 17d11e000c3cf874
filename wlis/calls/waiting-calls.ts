import type { Milliseconds } from '../../config/units.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import { CallProblem } from './call-problem.js';

/** Calls that wait for something to happen: bounded in number and in time, and ended with their clients and with the node. */
export class WaitingCalls {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  /** @param most of them at a time */
  constructor(most = 1024) {
    this.#most = most;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Fulfilled when it is so, or may not be waited for any longer.
   * @param isSo looked at now, and whenever `listen` says so
   * @param listen begins to call back; gives what ends that
   * @throws CallProblem too-many-waiting
   */
  async until(
    isSo: () => boolean,
    listen: (onChange: () => void) => () => void,
    { wait, cancellation }: { readonly wait: Milliseconds; readonly cancellation: Cancellation },
  ): Promise<void> {
    if (isSo() || wait <= 0 || this.#isClosed || cancellation.cancelled) return;
    if (this.#waiting.size >= this.#most) {
      throw new CallProblem(503, 'too-many-waiting', `${this.#most} calls are waiting already`, ['Retry-After', '5']);
    }
    await new Promise<void>((resolve) => {
      const listener = { onCancelled: (): void => end() };
      const end = (): void => {
        if (!this.#waiting.delete(end)) return;
        clearTimeout(timer);
        stopListening();
        cancellation.remove(listener);
        resolve();
      };
      const timer = setTimeout(end, wait);
      this.#waiting.add(end);
      cancellation.add(listener);
      const stopListening = listen(() => {
        if (isSo()) end();
      });
    });
  }

  /** Lets all of them be answered as it is, and nobody wait any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#waiting]) end();
  }
}
