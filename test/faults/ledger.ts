import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { PurgeMode, PurgeSelector } from '../../proxy/cache/purge.js';

export type Held = readonly { readonly from: number; readonly to: number }[];

/** What a response is, whatever happens to it. */
export interface Stated {
  readonly op: number;
  readonly key: string;
  readonly variant: string;
  /** Which content it has: that of this version of its key. */
  readonly version: number;
  /** Length of the whole of it. */
  readonly length: number;
  readonly groups: readonly string[];
}

/** What a process says it does, before it does it, and what it was told, before it does anything else. */
export type Entry =
  /** The request for it is sent now; `of`: freshens what that operation stored. */
  | ({ readonly t: 'begin'; readonly of?: number } & Stated)
  /** It is handed over now, and may be seen from here on. */
  | { readonly t: 'end'; readonly op: number }
  | { readonly t: 'kept'; readonly op: number; readonly id: string; readonly held: Held; readonly complete: boolean }
  | { readonly t: 'refused'; readonly op: number }
  /** What an inspection found. */
  | ({ readonly t: 'found'; readonly id: string; readonly held: Held; readonly complete: boolean } & Stated & Marks)
  | { readonly t: 'remove'; readonly n: number; readonly key: string; readonly variant: string; readonly id: string }
  | { readonly t: 'invalidate'; readonly n: number; readonly key: string }
  | { readonly t: 'group'; readonly n: number; readonly origin: string; readonly group: string }
  | { readonly t: 'purge'; readonly n: number; readonly mode: PurgeMode; readonly selector: PurgeSelector }
  /** The last four are acknowledged. */
  | { readonly t: 'done'; readonly n: number }
  /** The store said that its disk is unwell: what is refused from here on is so for good reason. */
  | { readonly t: 'unwell' }
  /** The store is being closed: what begins from here on comes too late. */
  | { readonly t: 'closed' };

export interface Marks {
  readonly invalidated: boolean;
  readonly purged: boolean;
}

/** Entries in a file: they are there, in their order, however the process ends that wrote them. */
export class Ledger {
  readonly #file: number;

  private constructor(
    file: number,
    private readonly onEntry: (entry: Entry) => void,
  ) {
    this.#file = file;
  }

  /** Begins a new one in the place of an older. */
  static begin(path: string, entries: readonly Entry[], onEntry: (entry: Entry) => void): Ledger {
    const next = `${path}.next`;
    writeFileSync(next, entries.map(line).join(''));
    renameSync(next, path);
    return new Ledger(openSync(path, 'a'), onEntry);
  }

  write(entry: Entry): void {
    writeSync(this.#file, line(entry));
    this.onEntry(entry);
  }

  close(): void {
    closeSync(this.#file);
  }
}

const line = (entry: Entry): string => `${JSON.stringify(entry)}\n`;

/** A line that was not written to its end says nothing. */
export function readLedger(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((text) => JSON.parse(text) as Entry);
}
