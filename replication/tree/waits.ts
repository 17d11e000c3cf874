/** Those who wait for something to become so, which is looked at whenever it may have. At most so many. */
export class Waits {
  readonly #waiting = new Set<() => void>();

  /** Whether the bound is reached. */
  isFull(most: number): boolean {
    return this.#waiting.size >= most;
  }

  /** Fulfilled once it is so; rejects with the reason of the signal. */
  until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(look);
        signal.removeEventListener('abort', onAbort);
      };
      const look = (): void => {
        if (!isSo()) return;
        end();
        resolve();
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      if (signal.aborted) return onAbort();
      this.#waiting.add(look);
      signal.addEventListener('abort', onAbort);
      look();
    });
  }

  look(): void {
    for (const look of [...this.#waiting]) look();
  }
}
