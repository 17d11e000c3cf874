import type { UpkeepResults } from '../admin/operator-store.js';
import type { StoreReport } from '../admin/store-control.js';
import type { ReportOptions } from '../cache/disk/disk-report.js';
import type { UpkeepProgress } from '../cache/disk/upkeep.js';
import { followWork } from './follow-work.js';
import type { OperatorClient } from './operator-client.js';
import type { StoreSide, Watching } from './store-side.js';

/** The store of a node that runs. */
export class RunningStore implements StoreSide {
  constructor(private readonly client: OperatorClient) {}

  async report({ largest }: ReportOptions): Promise<StoreReport> {
    return (await this.client.get(`/api/store${largest ? '?largest' : ''}`)) as StoreReport;
  }

  perform<W extends keyof UpkeepResults>(
    work: W,
    members: Readonly<Record<string, string>>,
    watching: Watching,
  ): Promise<UpkeepResults[W] | null> {
    return followWork<UpkeepProgress, UpkeepResults[W]>(this.client, `/api/store/${work}`, members, watching);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
