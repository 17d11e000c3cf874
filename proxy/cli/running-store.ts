import type { UpkeepLine, UpkeepResults } from '../admin/operator-store.js';
import type { StoreReport } from '../admin/store-control.js';
import type { ReportOptions } from '../cache/disk/disk-report.js';
import { CallFailed, type OperatorClient } from './operator-client.js';
import type { StoreSide, Watching } from './store-side.js';

/** The store of a node that runs. */
export class RunningStore implements StoreSide {
  constructor(private readonly client: OperatorClient) {}

  async report({ largest }: ReportOptions): Promise<StoreReport> {
    return (await this.client.get(`/api/store${largest ? '?largest' : ''}`)) as StoreReport;
  }

  async perform<W extends keyof UpkeepResults>(
    work: W,
    members: Readonly<Record<string, string>>,
    { signal, onProgress }: Watching,
  ): Promise<UpkeepResults[W] | null> {
    let last: UpkeepLine<W> = { type: 'begun' };
    const onLine = (line: unknown): void => {
      last = line as UpkeepLine<W>;
      if (last.type === 'progress' && last.progress !== null) onProgress(last.progress);
    };
    await this.client.follow(`/api/store/${work}`, members, { signal, onLine });
    return resultOf(last, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function resultOf<W extends keyof UpkeepResults>(last: UpkeepLine<W>, signal: AbortSignal): UpkeepResults[W] | null {
  if (last.type === 'done') return last.result;
  if (last.type === 'failed') throw new CallFailed(last.detail);
  if (signal.aborted) return null;
  throw new CallFailed('the node has broken off before it was done');
}
