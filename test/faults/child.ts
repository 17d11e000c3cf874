import { writeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bytes, milliseconds } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import { DiskStore } from '../../proxy/cache/disk/disk-store.js';
import { InvalidationOrder } from '../../proxy/cache/invalidation-marks.js';
import { MemoryStore } from '../../proxy/cache/memory-store.js';
import { TieredStore } from '../../proxy/cache/tiered-store.js';
import { History } from './history.js';
import { inspect } from './inspection.js';
import { Ledger, readLedger, type Entry } from './ledger.js';
import { allKeys, Load } from './load.js';
import { Seeded } from './seeded.js';

/** What a process of the harness is to do. */
export interface Orders {
  readonly directory: string;
  readonly ledger: string;
  /** What is found to be wrong goes there, a line each. */
  readonly wrong: string;
  readonly seed: number;
  readonly firstOperation: number;
  readonly limit: number;
  /** Nothing may have been evicted: all that was acknowledged is there. */
  readonly isRoomy: boolean;
  /** Body files that were damaged since the last inspection. */
  readonly damaged: readonly string[];
  /** The index was damaged: what it had lost may be there again, but not as fresh. */
  readonly isIndexDamaged: boolean;
  /** Tables of the index were damaged, which level need not notice: only bytes are judged. */
  readonly isIndexDoubtful: boolean;
  readonly workers: number;
  /** What names the time since the machine was started. */
  readonly boot: string;
  /** The machine went down without warning since the last process. */
  readonly isPowerLost: boolean;
  /** Bytes of memory before the disk; null: none. */
  readonly memory: number | null;
}

// the process is started ahead of time, and waits for its orders
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first = await input.next();
if (first.done === true) process.exit(0);
const orders = JSON.parse(first.value) as Orders;
const wrongFile = openSync(orders.wrong, 'a');
const wrong = (what: string): void => void writeSync(wrongFile, `${what.replaceAll('\n', ' ')}\n`);

process.on('uncaughtException', (error) => {
  wrong(`uncaught: ${error.stack ?? String(error)}`);
  process.exit(1);
});

const unwell: string[] = [];
/** What the store reports of what it has lost. */
const lost: string[] = [];
let ledger: Ledger | null = null;
const order = new InvalidationOrder();
const memory =
  orders.memory === null
    ? null
    : new MemoryStore({ limit: bytes(orders.memory), maxDocument: bytes(orders.memory), variants: 8, order });
const disk = await DiskStore.open({
  directory: orders.directory,
  limit: bytes(orders.limit),
  maxDocument: bytes(8 * 1024 * 1024),
  variants: 8,
  clock: systemClock,
  retryAfter: milliseconds(50),
  boot: orders.boot,
  order,
  isUsed: (key) => memory !== null && memory.peek(key).length > 0,
  onUnwell: (error) => {
    unwell.push(String(error));
    ledger?.write({ t: 'unwell' });
    if (!orders.isIndexDoubtful && !orders.isIndexDamaged) wrong(`unwell: ${String(error)}`);
  },
  onWell: () => undefined,
  onLost: (key, error) => {
    lost.push(`${key}: ${String(error)}`);
    // what was damaged before has been found by now
    if (ledger !== null && !orders.isIndexDoubtful) wrong(`lost in the run: ${key}: ${String(error)}`);
  },
  onNotice: (notice) => lost.push(notice),
});
const before = new History(readLedger(orders.ledger));
const store = memory === null ? disk : new TieredStore(memory, disk);
const report = await inspect(disk, before, orders, (what) => wrong(`${what} (reported: ${lost.slice(-2).join('; ')})`));
const entries: readonly Entry[] = report.entries;
const history = new History(entries);
ledger = Ledger.begin(orders.ledger, entries, (entry) => history.add(entry));
const { note } = { note: (entry: Entry) => ledger.write(entry) };
const load = new Load({
  ...{ store, history, note, wrong, isJudged: !orders.isIndexDoubtful, firstOperation: orders.firstOperation },
  random: new Seeded(orders.seed),
  isUnwell: () => orders.isIndexDoubtful || unwell.length > 0,
});
process.stdout.write(`${JSON.stringify({ ...report.counts, keys: allKeys.length, unwell })}\n`);

void input.next().then(({ done }) => {
  if (done === true) return;
  note({ t: 'closed' });
  unwell.push('closed');
  // in the middle of everything
  void store.close().then(() => process.exit(0));
  load.stop();
});
const sampling = setInterval(() => {
  const { bytes: taken, limit } = store.usage();
  if (taken > limit) wrong(`usage says ${taken} of ${limit}`);
}, 20);
sampling.unref();
await load.run(orders.workers);
