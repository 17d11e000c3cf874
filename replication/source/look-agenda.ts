import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { addLook, LookSchedule, type LookWork } from './look-schedule.js';
import type { SourceTree } from './source-tree.js';
import type { WakeTimer } from './wake-timer.js';

export interface AgendaParts {
  readonly tree: SourceTree;
  readonly clock: Clock;
  /** Set to when there is something to be looked at. */
  readonly timer: WakeTimer;
  /** How often to look at everything without having been told of anything. */
  readonly scanEvery: Milliseconds;
}

/** News come in heaps. */
const gathering = milliseconds(5);
/** A scan behind other work goes so many directories at a time, and rests so much longer than it works. */
const directoriesInSlice = 16;
const rest = 4;

/** What of a directory is to be looked at next: what the system told of, what is due, and now and then everything. */
export class LookAgenda {
  readonly schedule = new LookSchedule();
  readonly #parts: AgendaParts;
  #news: LookWork = new Map();
  #scanLeft: string[] = [];
  #scannedAt: MonotonicMs | null = null;

  constructor(parts: AgendaParts) {
    this.#parts = parts;
  }

  /** Something happened there. */
  hear(directory: string, name: string | null): void {
    addLook(this.#news, directory, name);
    this.soon();
  }

  soon(): void {
    this.#parts.timer.in(gathering);
  }

  /** Adds everything that is known. */
  addAll(work: LookWork): void {
    for (const { path } of this.#parts.tree.all()) work.set(path, 'all');
  }

  /** Everything, at once. */
  takeAll(): LookWork {
    const work: LookWork = new Map();
    this.addAll(work);
    this.#scanLeft = [];
    return work;
  }

  scanned(): void {
    this.#scannedAt = this.#parts.clock.monotonic();
  }

  /** What was heard of, what is due, and a slice of a scan that is under way. */
  takeNews(): LookWork {
    const work = this.#news;
    this.#news = new Map();
    this.schedule.take(this.#parts.clock.monotonic(), work);
    for (const directory of this.#scanLeft.splice(0, directoriesInSlice)) addLook(work, directory, null);
    return work;
  }

  /** A slice of a scan is over: the next comes when the rest of the process had its turn. */
  restAfter(worked: Milliseconds): void {
    if (this.#scanLeft.length > 0) this.#parts.timer.in(milliseconds(Math.max(gathering, rest * worked)));
  }

  wakeLater(): void {
    const { clock, scanEvery, timer, tree } = this.#parts;
    const now = clock.monotonic();
    const soonest = this.schedule.soonest(now);
    if (soonest !== null) timer.in(soonest);
    if (this.#news.size > 0) this.soon();
    if (this.#scannedAt === null || this.#scanLeft.length > 0) return;
    const untilScan = milliseconds(scanEvery - elapsedMonotonic(this.#scannedAt, now));
    if (untilScan > 0) {
      timer.in(untilScan);
      return;
    }
    this.#scannedAt = now;
    this.#scanLeft = [...tree.all()].map(({ path }) => path);
    this.soon();
  }
}
