import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DiskResponse } from '../../proxy/cache/disk/disk-response.js';
import type { DiskStore } from '../../proxy/cache/disk/disk-store.js';
import { filesUnder } from '../cache/disk/disk-example.js';
import { foreignTemporary } from './damage.js';
import type { Entry } from './ledger.js';
import { slotOf, type History, type Seen } from './history.js';
import { allKeys } from './load.js';
import { seenOf, wrongBytes } from './seen.js';

export interface InspectionOrders {
  readonly directory: string;
  readonly isRoomy: boolean;
  readonly damaged: readonly string[];
  readonly isIndexDamaged: boolean;
  readonly isIndexDoubtful: boolean;
  readonly isPowerLost: boolean;
}

export interface Inspection {
  /** What is there, for the ledger to begin with. */
  readonly entries: readonly Entry[];
  readonly counts: {
    readonly responses: number;
    readonly bytesRead: number;
    readonly lost: number;
    readonly fresh: number;
    readonly unreferred: number;
  };
}

/** Reads everything that a store has and compares it with what it may have. */
export async function inspect(
  store: DiskStore,
  history: History,
  orders: InspectionOrders,
  wrong: (what: string) => void,
): Promise<Inspection> {
  const temporary = readdirSync(join(orders.directory, 'tmp')).filter((name) => name !== foreignTemporary);
  if (temporary.length > 0) wrong(`left in tmp: ${temporary.join(' ')}`);
  const usage = store.usage();
  const found: { stored: DiskResponse; seen: Seen }[] = [];
  for (const key of allKeys) {
    for (const stored of await store.peek(key)) {
      if (!(stored instanceof DiskResponse)) throw new TypeError(`${stored.id} is of another store`);
      found.push({ stored, seen: seenOf(stored) });
    }
  }
  compareUsage(usage, found, orders, wrong);
  const damaged = new Set(orders.damaged);
  const entries: Entry[] = [];
  const unreferred = unreferredBytes(
    orders.directory,
    new Set(found.flatMap(({ stored }) => stored.segments.map(({ id }) => id))),
  );
  const counts = { unreferred, responses: found.length, bytesRead: 0, lost: 0, fresh: 0 };
  const present = new Set(found.map(({ seen }) => slotOf(seen)));
  for (const { stored, seen } of found) {
    const fault = faultOf(seen, history, orders);
    if (orders.isPowerLost && !seen.invalidated) wrong(`after a loss of power: ${JSON.stringify(seen)}: it is trusted`);
    if (fault !== null) wrong(`after the start: ${JSON.stringify(seen)}: ${fault}`);
    const unreadable = await readPieces(store, stored, wrong);
    const isDamaged = stored.segments.some(({ id }) => damaged.has(id));
    if (unreadable === null) counts.bytesRead += seen.held.reduce((sum, { from, to }) => sum + to - from, 0);
    else if (isDamaged || hasLost(orders)) counts.lost++;
    else wrong(`after the start: ${JSON.stringify(seen)}: ${unreadable}`);
    if (!seen.invalidated) counts.fresh++;
    if (unreadable === null) entries.push({ t: 'found', ...seen });
  }
  if (!hasLost(orders) && orders.isRoomy) {
    for (const slot of history.slots) {
      const op = present.has(slot) ? null : history.lost(slot);
      if (op !== null) wrong(`after the start: ${slot}: what operation ${op} stored is lost`);
    }
  }
  return { entries, counts };
}

/** Whether the index may lack something that was acknowledged. */
const hasLost = ({ isIndexDamaged, isIndexDoubtful, isPowerLost }: InspectionOrders): boolean =>
  isIndexDamaged || isIndexDoubtful || isPowerLost;

/** Where the index was damaged, what it forgot may be there again: to be validated before it is used. */
function faultOf(seen: Seen, history: History, orders: InspectionOrders): string | null {
  const fault = history.wrong(seen, history.now);
  if (orders.isIndexDoubtful) return null;
  if (fault === null || !hasLost(orders)) return fault;
  return seen.invalidated ? null : `${fault} (its index was damaged)`;
}

function compareUsage(
  usage: { readonly responses: number; readonly bytes: number },
  found: readonly { readonly stored: DiskResponse }[],
  orders: InspectionOrders,
  wrong: (what: string) => void,
): void {
  const size = found.reduce((sum, { stored }) => sum + stored.size, 0);
  if (orders.isIndexDamaged || orders.isIndexDoubtful) return;
  if (usage.responses !== found.length) wrong(`usage says ${usage.responses} responses, there are ${found.length}`);
  if (usage.bytes !== size) wrong(`usage says ${usage.bytes} bytes, there are ${size}`);
}

/** Why it cannot be read; null: it was, and every byte is right or was reported. */
async function readPieces(
  store: DiskStore,
  stored: DiskResponse,
  wrong: (what: string) => void,
): Promise<string | null> {
  for (const { from, to } of stored.held) {
    try {
      const failure = await wrongBytes(store, stored, from, to);
      if (failure === 'not what was stored') wrong(`after the start: ${JSON.stringify(seenOf(stored))}: WRONG BYTES`);
      else if (failure !== null) return failure;
    } catch (error) {
      return String(error);
    }
  }
  return null;
}

/** What files take that are of no stored response: they are deleted behind the work of the store. */
function unreferredBytes(directory: string, referred: ReadonlySet<string>): number {
  const others = filesUnder(join(directory, 'bodies')).filter((path) => !referred.has(basename(path)));
  return others.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);
}
