import type { KeyValue } from '../../base/key-value.js';
import type { FileSystem } from './file-system.js';
import { GroupMarks } from './group-marks.js';
import { decodeTotals, type Totals } from './index-journal.js';
import { allMarks, floorKey, groupsKey, runKey, totalsKey } from './index-keys.js';
import { LastSequence } from './index-loss.js';
import { parseRun, type Run } from './run-marker.js';

/** What an index and what stands beside it say of the time before. */
export interface FormerState {
  /** Null: nothing, or nothing that can be read. */
  readonly totals: Totals | null;
  readonly floor: number;
  /** Null: some are missing. */
  readonly marks: GroupMarks | null;
  /** Null for a store that was never used. */
  readonly run: Run | null;
  /** The number of the last change, as it was noted beside the index. */
  readonly noted: number | null;
}

export async function readState(records: KeyValue, directory: string, system: FileSystem): Promise<FormerState> {
  const [totals, floor, run, groups] = await Promise.all(
    [totalsKey, floorKey, runKey, groupsKey].map((key) => records.get(key)),
  );
  const marks: (readonly [string, Buffer])[] = [];
  for await (const one of records.entries(allMarks)) marks.push(one);
  return {
    totals: totals === undefined ? null : decodeTotals(totals),
    floor: Number(floor?.toString() ?? 0),
    marks: GroupMarks.load(marks, groups),
    run: parseRun(run),
    noted: await LastSequence.read(directory, system),
  };
}

/** For what reasons invalidations may have been lost, though no record was. For the operator. */
export function doubtsOf({ totals, marks, run, noted }: FormerState, boot: string | null): string[] {
  const isRestarted = run !== null && !run.clean && (boot === null || run.boot !== boot);
  const isCut = run !== null && !isRestarted && (noted === null || noted > (totals?.sequence ?? 0));
  return [
    ...(isRestarted ? ['the machine went down without warning'] : []),
    ...(isCut ? ['the index has lost its last changes'] : []),
    ...(marks === null ? ['the index has lost invalidations of groups'] : []),
  ];
}
