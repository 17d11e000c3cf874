import type { UpkeepResults } from '../admin/operator-store.js';
import type { StoreReport } from '../admin/store-control.js';
import type { ReportOptions } from '../cache/disk/disk-report.js';
import type { UpkeepProgress } from '../cache/disk/upkeep.js';

export interface Watching {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: UpkeepProgress) => void;
}

/** A store, as a command sees it. Every method but `close` rejects with CallFailed. */
export interface StoreSide {
  report(options: ReportOptions): Promise<StoreReport>;
  /** Null if it was given up and its result is not known. @param members what the operator side takes */
  perform<W extends keyof UpkeepResults>(
    work: W,
    members: Readonly<Record<string, string>>,
    watching: Watching,
  ): Promise<UpkeepResults[W] | null>;
  close(): Promise<void>;
}
