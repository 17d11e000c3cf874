/** Looks again and again until it is so: for what nobody tells of. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(5);
}

/** Looks at a number until it has been the same at so many looks in a row. @returns that number */
export async function settled(read: () => number, looks = 10): Promise<number> {
  let [before, same] = [read(), 0];
  while (same < looks) {
    await pause(10);
    const now = read();
    same = now === before ? same + 1 : 0;
    before = now;
  }
  return before;
}

/** Time in which something that must not happen could happen. */
export const aWhile = (): Promise<void> => pause(100);

/** Keeps no process alive: what a failed test still waits for never comes. */
const pause = (duration: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration).unref());
