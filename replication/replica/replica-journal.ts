import type { Bytes } from '../../config/units.js';
import { CheckedLog, type LogState } from '../checked-log.js';
import type { Change, ChangeList } from '../change-list.js';
import { decodeChanges, encodeChanges } from '../journal-format.js';

export interface ReplicaJournalOptions {
  readonly path: string;
  readonly namespace: string;
}

/** Where a replica is: the list that its journal leads to, and the statement that proves it. */
export interface HeldPoint {
  readonly epoch: string;
  readonly last: number;
  readonly floor: number;
  /** The head, as it was signed. */
  readonly head: string;
  /** The list begins anew with the changes before it, and does not go on from the one before. */
  readonly isWhole: boolean;
}

/** What a journal had, as it is read. */
export interface JournalReading {
  /** The list has come so far. */
  readonly onPoint: (point: HeldPoint, changes: readonly Change<string>[]) => void;
  /** These are visible ahead of the list. */
  readonly onVisible: (changes: readonly Change<string>[]) => void;
  /** Documents that were removed, whose contents are kept. */
  readonly onKept: (changes: readonly Change<string>[]) => void;
}

/**
 * What a replica holds, on disk. Frames: `P{json}`, a point that has been reached, behind `C` with the changes that led to it;
 * `V`, changes that became visible ahead of it; `K`, documents as they were before they were removed. Those of a
 * frame `C` count once their `P` is there, which is written with them.
 */
export class ReplicaJournal {
  readonly #log: CheckedLog;
  readonly #namespace: string;
  #compactedSize: number;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(log: CheckedLog, namespace: string) {
    this.#log = log;
    this.#namespace = namespace;
    this.#compactedSize = leastCompacted;
  }

  /** One that is damaged or another's begins anew; what is held is then compared with what others have. */
  static async open(
    { path, namespace }: ReplicaJournalOptions,
    reading: JournalReading,
  ): Promise<{ readonly journal: ReplicaJournal; readonly found: LogState }> {
    const options = { path, kind: 'replica 1', durable: true };
    const reader = new Reader(namespace, reading);
    const { log, found } = await CheckedLog.open(options, (payload) => reader.read(payload));
    if (log !== null && reader.fault === null) return { journal: new ReplicaJournal(log, namespace), found };
    await log?.close();
    const begun = await CheckedLog.begin(options, [beginning(namespace)]);
    const damaged: LogState | null =
      reader.fault === null ? null : { state: 'damaged', reason: `${path}: ${reader.fault}` };
    return { journal: new ReplicaJournal(begun, namespace), found: damaged ?? found };
  }

  get size(): Bytes {
    return this.#log.size;
  }

  get isWorthCompacting(): boolean {
    return this.#log.size > 2 * this.#compactedSize;
  }

  /** The list has come to a point by these changes. Fulfilled when that is durable. */
  reach(point: HeldPoint, changes: Iterable<Change<string>>): Promise<void> {
    return this.#next(() => this.#log.append([...tagged('C', encodeChanges(changes)), pointFrame(point)]));
  }

  /** These are visible ahead of the list. */
  show(changes: readonly Change<string>[]): Promise<void> {
    return this.#next(() => this.#log.append([...tagged('V', encodeChanges(changes))]));
  }

  /** The contents of these are kept, though they have been removed. */
  keep(changes: readonly Change<string>[]): Promise<void> {
    return this.#next(() => this.#log.append([...tagged('K', encodeChanges(changes))]));
  }

  /** Writes what holds now in the place of all that led to it. */
  compact(point: HeldPoint, list: ChangeList<string>, beside: BesideList): Promise<void> {
    const whole = [
      beginning(this.#namespace),
      ...tagged('C', encodeChanges(list.changes())),
      pointFrame({ ...point, isWhole: true }),
      ...tagged('V', encodeChanges(beside.visible)),
      ...tagged('K', encodeChanges(beside.kept)),
    ];
    return this.#next(async () => {
      await this.#log.rewrite(whole);
      this.#compactedSize = Math.max(leastCompacted, this.#log.size);
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#next(() => this.#log.close());
  }

  #next<R>(work: () => Promise<R>): Promise<R> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }
}

/** What a journal has besides the list. */
export interface BesideList {
  readonly visible: Iterable<Change<string>>;
  readonly kept: Iterable<Change<string>>;
}

const leastCompacted = 1024 * 1024;

class Reader {
  /** Why the journal cannot be meant; null as long as it can. */
  fault: string | null = null;
  readonly #namespace: string;
  readonly #reading: JournalReading;
  #begun = false;
  #changes: Change<string>[] = [];

  constructor(namespace: string, reading: JournalReading) {
    this.#namespace = namespace;
    this.#reading = reading;
  }

  read(payload: Buffer): void {
    if (this.fault !== null) return;
    try {
      this.#take(String.fromCharCode(payload[0] ?? 0), payload.subarray(1));
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
    }
  }

  #take(tag: string, content: Buffer): void {
    if (!this.#begun) {
      if (tag !== 'N' || content.toString() !== this.#namespace) throw new Error('it is that of another namespace');
      this.#begun = true;
    } else if (tag === 'C') {
      for (const change of decodeChanges(content)) this.#changes.push(change);
    } else if (tag === 'P') {
      this.#reading.onPoint(parsePoint(content.toString()), this.#changes);
      this.#changes = [];
    } else if (tag === 'V') this.#reading.onVisible(decodeChanges(content));
    else if (tag === 'K') this.#reading.onKept(decodeChanges(content));
    else throw new Error(`it has a part of an unknown kind ${JSON.stringify(tag)}`);
  }
}

function parsePoint(text: string): HeldPoint {
  const { epoch, last, floor, head, isWhole } = JSON.parse(text) as Partial<HeldPoint>;
  const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (typeof epoch === 'string' && typeof head === 'string' && isNumber(last) && isNumber(floor)) {
    return { epoch, last, floor, head, isWhole: isWhole === true };
  }
  throw new Error('it says no point that a list can have reached');
}

const beginning = (namespace: string): Buffer => Buffer.from(`N${namespace}`);

const pointFrame = (point: HeldPoint): Buffer => Buffer.from(`P${JSON.stringify(point)}`);

function* tagged(tag: string, payloads: Iterable<Buffer>): Generator<Buffer> {
  for (const payload of payloads) yield Buffer.concat([Buffer.from(tag), payload]);
}
