import { bytes, type Bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../base/key-value.js';
import type { DiskIndex } from './disk-index.js';
import { allRecords, keyOfRecord } from './index-keys.js';
import type { IndexJournal } from './index-journal.js';
import { countChange, type ListCount } from './list-counts.js';
import type { Pacer } from './pacer.js';
import { inFiles, partial, total } from './record-change.js';

/** By how much an index had counted wrong: what it has more than it thought, below 0 what it has less. */
export interface Correction {
  readonly responses: number;
  readonly bytes: Bytes;
}

interface Counted {
  responses: number;
  bytes: number;
  files: number;
  partial: number;
  readonly lists: Map<string, ListCount>;
}

/** What it takes to decode a record, as bytes that are read and checked in that time. */
const perRecord = bytes(4 * 1024);

/**
 * Counts what an index has while it is in use, and sets right what it has counted; damaged records are nothing. Null if it was
 * ended early.
 *
 * What is counted is the index as it was at one moment. What was wrong then is wrong still, by the same amount, whatever has
 * changed since.
 */
export async function recountInUse(index: DiskIndex, pacer: Pacer, signal: AbortSignal): Promise<Correction | null> {
  const { journal } = index;
  await idle(journal);
  // the records are those of this turn, and so are the counts
  const records = index.entries(allRecords)[Symbol.asyncIterator]();
  const first = records.next();
  const [{ responses, bytes: size, files, partial: known }, lists] = [journal.totals, new Map(journal.lists.entries())];
  const counted: Counted = { responses: 0, bytes: 0, files: 0, partial: 0, lists: new Map() };
  for (let next = await first; next.done !== true; next = await records.next()) {
    if (signal.aborted) {
      await records.return?.();
      return null;
    }
    count(index, next.value, counted);
    await pacer.passed(perRecord, signal);
  }
  const correction = { responses: counted.responses - responses, bytes: bytes(counted.bytes - size) };
  const filesOff = counted.files - files;
  // what was never counted stays so: changes since then were not counted either
  const partialOff = counted.partial - (known ?? counted.partial);
  const isRight = filesOff === 0 && partialOff === 0;
  const listsOff = difference(counted.lists, lists);
  if (correction.responses === 0 && correction.bytes === 0 && isRight && listsOff.size === 0) return correction;
  await idle(journal);
  const now = journal.totals;
  journal.correct({
    responses: now.responses + correction.responses,
    bytes: bytes(now.bytes + correction.bytes),
    files: bytes(now.files + filesOff),
    partial: now.partial === null ? null : now.partial + partialOff,
    sequence: now.sequence,
  });
  await journal.write({ changes: correctLists(journal, listsOff) });
  return correction;
}

/** Fulfilled in a turn in which no change is on its way. */
async function idle(journal: IndexJournal): Promise<void> {
  do await journal.settled();
  while (!journal.isIdle);
}

function count(index: DiskIndex, [found, value]: readonly [string, Buffer], counted: Counted): void {
  const record = index.decode(keyOfRecord(found), value);
  if (record === null) return;
  const { list, responses } = record;
  const size = total(responses);
  counted.responses += responses.length;
  counted.bytes += size;
  counted.files += inFiles(responses);
  counted.partial += partial(responses);
  if (list !== '')
    counted.lists.set(list, sum(counted.lists.get(list), { responses: responses.length, bytes: bytes(size) }));
}

const sum = (one: ListCount = nothing, other: ListCount = nothing): ListCount => ({
  responses: one.responses + other.responses,
  bytes: bytes(one.bytes + other.bytes),
});

const nothing: ListCount = { responses: 0, bytes: bytes(0) };

/** By how much more there is in each list of the first. */
function difference(
  right: ReadonlyMap<string, ListCount>,
  wrong: ReadonlyMap<string, ListCount>,
): ReadonlyMap<string, ListCount> {
  const off = new Map<string, ListCount>();
  for (const list of new Set([...right.keys(), ...wrong.keys()])) {
    const { responses, bytes: size } = wrong.get(list) ?? nothing;
    const one = sum(right.get(list), { responses: -responses, bytes: bytes(0 - size) });
    if (one.responses !== 0 || one.bytes !== 0) off.set(list, one);
  }
  return off;
}

/** Gives what the index is to have for that. */
function correctLists({ lists }: IndexJournal, off: ReadonlyMap<string, ListCount>): KeyValueChange[] {
  const after = new Map(lists.entries());
  for (const [list, one] of off) after.set(list, sum(after.get(list), one));
  const changes = [...off.keys()].map((list) => countChange([list, after.get(list) ?? nothing]));
  lists.correct(after);
  return changes;
}
