/**
 * Does work that is given up when the signal says so, or after that time. The two cannot simply be joined by
 * `AbortSignal.any`: Node.js 20 forgets an `AbortSignal.timeout` that nothing else holds.
 * @throws what the work throws
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const end = (): void => either.abort(signal.reason);
  const timer = setTimeout(() => either.abort(new Error(`not within ${milliseconds / 1000} s`)), milliseconds);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await work(either.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
