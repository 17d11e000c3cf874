/**
 * Does something for each of many and gives what comes of it in their order, while the next ones are being worked on: so many
 * at once. Where there are no more because that failed, what was begun is given before the failure is told.
 */
export async function* readAhead<T, R>(
  items: AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const iterator = items[Symbol.asyncIterator]();
  const underWay: Promise<R>[] = [];
  const source: { isOver: boolean; failures: readonly unknown[] } = { isOver: false, failures: [] };
  const next = async (): Promise<readonly T[]> => {
    try {
      const result = await iterator.next();
      source.isOver = result.done === true;
      return result.done === true ? [] : [result.value];
    } catch (error) {
      [source.isOver, source.failures] = [true, [error]];
      return [];
    }
  };
  try {
    while (!source.isOver) {
      for (const item of await next()) {
        const begun = work(item);
        // told when its turn comes
        begun.catch(() => undefined);
        underWay.push(begun);
      }
      if (underWay.length >= atOnce) yield await (underWay.shift() as Promise<R>);
    }
    for (let begun = underWay.shift(); begun !== undefined; begun = underWay.shift()) yield await begun;
  } finally {
    if (!source.isOver) await iterator.return?.();
    await Promise.allSettled(underWay);
  }
  for (const failure of source.failures) throw failure;
}
