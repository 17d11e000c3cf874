/**
 * Fulfilled once it is so; rejects with the reason of the signal.
 * @param listen begins to call back whenever it may have become so; gives what ends that
 */
export function untilSo(
  isSo: () => boolean,
  listen: (onChange: () => void) => () => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    if (isSo()) {
      resolve();
      return;
    }
    const end = (): void => {
      stopListening();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason as Error);
    };
    const stopListening = listen(() => {
      if (!isSo()) return;
      end();
      resolve();
    });
    signal.addEventListener('abort', onAbort);
  });
}
