import type { DiskReport, ReportOptions } from '../cache/disk/disk-report.js';
import type { DiskUpkeep } from '../cache/disk/disk-upkeep.js';
import type { StoreUsage } from '../cache/response-store.js';

/** How the store of a node fares. */
export interface StoreReport {
  /** Null if there is no node. */
  readonly memory: StoreUsage | null;
  /** Null if nothing is stored on disk. */
  readonly disk: (DiskReport & DiskLosses) | null;
}

export interface DiskLosses {
  /** Stored responses that could not be read, or not be trusted, and are forgotten, since the node was started. */
  readonly lost: number;
}

/** What the operator side may know of the store of its node, and have done for it. */
export interface StoreControl {
  report(options: ReportOptions): Promise<StoreReport>;
  /** Null if nothing is stored on disk. */
  readonly upkeep: DiskUpkeep | null;
}
