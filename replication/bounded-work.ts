/** Does something for each of many, at most so many at once. Rejects with the first failure, when all that was begun is over. */
export async function forEachOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const state: { isOver: boolean; failure: { readonly error: unknown } | null } = { isOver: false, failure: null };
  // an asynchronous iterator is asked by one after the other
  let asking: Promise<unknown> = Promise.resolve();
  const next = (): Promise<IteratorResult<T>> => {
    const asked = asking.then(() => iterator.next());
    asking = asked.catch(() => undefined);
    return asked;
  };
  const worker = async (): Promise<void> => {
    try {
      while (!state.isOver) {
        const result = await next();
        if (result.done === true) return;
        await work(result.value);
      }
    } catch (error) {
      state.failure ??= { error };
    } finally {
      state.isOver = true;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (state.failure === null) return;
  await iterator.return?.();
  throw state.failure.error;
}
