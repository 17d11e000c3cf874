import { clearTimeout, setTimeout } from 'node:timers';
import type { Milliseconds } from '../../config/units.js';

/**
 * Does work that is told to end after that time, or when `signal` says so. What it gives then counts; a moment later it is
 * not waited for any longer.
 * @throws what the work throws, or that it did not end
 */
export async function within<T>(
  patience: Milliseconds,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const both = AbortSignal.any([signal, timeout.signal]);
  let late: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    const end = (): void => {
      late = setTimeout(() => reject(new Error('it did not end when it was told to')), moment).unref();
    };
    both.addEventListener('abort', end, { once: true });
    if (both.aborted) end();
  });
  const timer = setTimeout(() => timeout.abort(), patience).unref();
  try {
    return await Promise.race([work(both), over]);
  } finally {
    clearTimeout(timer);
    clearTimeout(late);
  }
}

/** For what has been told to end. */
const moment = 1000;
