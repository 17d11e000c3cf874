import type { Cancellation } from '../../proxy/base/cancellation.js';

/** What a promise brings, or the reason of a cancellation that comes before that. What becomes of the work is its owner's matter. */
export function unlessCancelled<T>(work: Promise<T>, cancellation: Cancellation): Promise<T> {
  return new Promise((resolve, reject) => {
    const listener = { onCancelled: reject };
    const over = (): void => cancellation.remove(listener);
    if (cancellation.reason === null) cancellation.add(listener);
    else reject(cancellation.reason);
    work.then(resolve, reject).finally(over);
  });
}
