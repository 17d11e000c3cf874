/** Files of tests that are run by one process, one after the other. */
export interface Batch {
  readonly name: string;
  readonly files: readonly string[];
}

/** More files than that are no batch: the last one to end would keep all others waiting. */
const mostFiles = 12;

/** Rooms whose tests start programs and whole nodes, and take longest: they are begun with. */
const slowest: readonly string[] = ['scenarios', 'examples', 'clients', 'cli', 'keys', 'faults', 'cache', 'wlis'];

/** Rooms whose tests look at each other, and stay together. */
const whole: ReadonlySet<string> = new Set(['keys']);

/** Puts files together by the rooms they are in, whatever is inside those, and those that take longest first. */
export function batchesOf(files: readonly string[]): readonly Batch[] {
  const rooms = new Map<string, string[]>();
  for (const file of files.toSorted()) {
    const room = /^test\/(.*?)\//.exec(file)?.[1] ?? 'test';
    rooms.set(room, [...(rooms.get(room) ?? []), file]);
  }
  const all = [...rooms].flatMap(([room, inside]) =>
    whole.has(room) ? [{ name: room, files: inside }] : parts(room, inside),
  );
  return all.toSorted((a, b) => rank(a.name) - rank(b.name));
}

function parts(room: string, files: readonly string[]): Batch[] {
  const count = Math.ceil(files.length / mostFiles);
  return Array.from({ length: count }, (_, at) => ({
    name: count === 1 ? room : `${room} (${at + 1} of ${count})`,
    files: files.filter((_, index) => index % count === at),
  }));
}

function rank(name: string): number {
  const at = slowest.findIndex((room) => name === room || name.startsWith(`${room} `));
  return at < 0 ? slowest.length : at;
}

/** How tests went. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * What the last line of a run says (`summary`). A run that ended otherwise than by counting counts as one failure.
 * @param ending its exit code, or the signal that ended it
 */
export function countsIn(output: string, ending: string): Counts {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(last) ?? [];
  if (passed === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const counts = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) };
  return ending === '0' || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

export const addedUp = (one: Counts, other: Counts): Counts => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: one.skipped + other.skipped,
});

/** The line in which a run ends. */
export const summary = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
