import type { Duplex } from 'node:stream';
import { WillisError } from '../base/errors.js';

/**
 * Runs `use` with a signal that aborts when the given one does, or when the client's connection closes meanwhile.
 * @throws what `use` throws; WillisError client-gone for what is not a WillisError and came of the signal
 */
export async function whileClientStays<T>(
  client: Duplex,
  signal: AbortSignal,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onGone = (): void => controller.abort(new WillisError('client-gone', 'the client went away'));
  const onAbort = (): void => controller.abort(signal.reason);
  client.on('close', onGone).on('error', onGone);
  signal.addEventListener('abort', onAbort, { once: true });
  if (client.destroyed) onGone();
  if (signal.aborted) onAbort();
  try {
    return await use(controller.signal);
  } catch (error) {
    if (error instanceof WillisError || !controller.signal.aborted) throw error;
    throw new WillisError('client-gone', 'given up', { cause: error });
  } finally {
    client.off('close', onGone).off('error', onGone);
    signal.removeEventListener('abort', onAbort);
  }
}
