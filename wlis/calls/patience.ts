import { elapsedMonotonic, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';

export interface PatienceOptions<T> {
  /** How long may be waited, altogether, for each `leastProgress`. */
  readonly patience: Milliseconds;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly sizeOf: (item: T) => Bytes;
  /** What it is given up with. */
  readonly failure: () => Error;
}

/** Who sends less in the time is given up, however steadily it drips. */
const leastProgress = 16 * 1024;

/**
 * What a peer sends, with an end to the waiting for it: neither silence nor single drops keep anybody. Only time in which
 * something is waited for counts, not that which the reader takes.
 * @param open is given the signal by which it has to end; what does not obey it is left behind
 */
export async function* patiently<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  { patience, clock, sizeOf, failure }: PatienceOptions<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  signal.throwIfAborted();
  const ending = new AbortController();
  const end = (): void => ending.abort(signal.reason);
  signal.addEventListener('abort', end);
  const ended = new Promise<never>((_, reject) => {
    ending.signal.addEventListener('abort', () => reject(ending.signal.reason as Error));
  });
  // it is waited for only now and then
  ended.catch(() => undefined);
  const iterator = open(ending.signal)[Symbol.asyncIterator]();
  let [waited, received] = [0, 0];
  let isOver = false;
  try {
    for (;;) {
      const since = clock.monotonic();
      const timer = setTimeout(() => ending.abort(failure()), milliseconds(Math.max(1, patience - waited)));
      const result = await Promise.race([iterator.next(), ended]).finally(() => clearTimeout(timer));
      isOver = result.done === true;
      if (result.done === true) return;
      waited += elapsedMonotonic(since, clock.monotonic());
      received += sizeOf(result.value);
      if (received >= leastProgress) [waited, received] = [0, 0];
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', end);
    if (!isOver) leave(iterator, ending);
  }
}

/** Not waited for: what hangs would hang here. */
function leave(iterator: AsyncIterator<unknown>, ending: AbortController): void {
  ending.abort(new DOMException('nobody reads any more', 'AbortError'));
  void iterator.return?.().catch(() => undefined);
}
