/**
 * How often a property of many steps is tried: `usual` times, or that many times what `RUNS` says in the environment.
 * @throws Error if `RUNS` is no positive number
 */
export function runCount(usual: number): number {
  const factor = Number(process.env['RUNS'] ?? 1);
  if (!(factor > 0)) throw new Error(`RUNS is to be a positive number, not '${process.env['RUNS']}'`);
  return Math.ceil(usual * factor);
}
