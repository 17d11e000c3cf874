import { bytes, epochMs, milliseconds } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { NamespaceReport, ReplicaReport } from '../../replication/namespace-report.js';
import { standingOf, type ListVersion } from '../../replication/replica-standing.js';
import type {
  NamespaceStatus,
  Promotion,
  ReplicationControl,
  ScanReport,
} from '../../replication/replication-control.js';
import { parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { parseDigest } from '../../wlis/trust/digest.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';
import { parseKeyId } from '../../wlis/trust/public-key.js';

export const epoch = parseEpoch('1790000000000-0123456789abcdef', 'epoch');
export const root = parseDigest('ab'.repeat(32), 'root');
export const mebibyte = 1024 * 1024;

/** A namespace as a test wants it: that of a primary in step, but for what is said otherwise. */
export function statusOf(
  url: string,
  over: Partial<NamespaceReport> = {},
  more: Partial<Omit<NamespaceStatus, 'report'>> = {},
): NamespaceStatus {
  const report: NamespaceReport = {
    namespace: parseNamespace(url),
    ...{ role: 'primary', state: 'in-step', reason: null },
    version: { epoch, seq: 812, root },
    known: { epoch, seq: 812 },
    documents: 1204,
    ...{ bytes: bytes(5 * mebibyte), totalBytes: bytes(5 * mebibyte) },
    lag: { changes: 0, time: milliseconds(0) },
    confirmedAge: milliseconds(2000),
    ...{ parent: null, ancestors: [], activeUntil: null, children: [] },
    counters: {
      ...{ changes: 812, bytesPulled: bytes(0), bytesSpared: bytes(0), refused: {} },
      ...{ notificationsReceived: 0, notificationsSent: 24, notificationsFailed: 1 },
    },
    ...over,
  };
  const isPrimary = report.role === 'primary';
  return {
    report,
    head: null,
    primary: isPrimary ? null : 'https://primary.example',
    replicas: isPrimary ? [] : null,
    source: null,
    ...more,
  };
}

/** A replica of a name, in step at 812 but for what is said otherwise. */
export function replicaOf(name: string, over: Partial<ReplicaReport> = {}): ReplicaReport {
  return {
    id: parseKeyId(name.padEnd(43, 'A'), 'id'),
    urls: [`https://${name}.example`],
    access: 'listed',
    held: { epoch, seq: 812 },
    lag: { changes: 0, time: milliseconds(0) },
    activeUntil: epochMs(Date.parse('2026-01-02T00:00:00Z')),
    ...{ isActive: true, parent: null },
    ...over,
  };
}

/** The replication of a node, which is what a test says it is. */
export class FakeReplication implements ReplicationControl {
  held: NamespaceStatus[] = [];
  /** What was asked to be done, in its order. */
  readonly done: string[] = [];
  /** What looking at a source comes to. */
  scanned: Partial<ScanReport> = {};
  promotion: Promotion | Error = new WillisError('promotion-refused', 'its key is not here');
  #waiting: (() => void)[] = [];
  /** How many wait for replicas. */
  waiting = 0;

  namespaces(): readonly NamespaceReport[] {
    return this.held.map(({ report }) => report);
  }

  status(namespace: Namespace): NamespaceStatus {
    const found = this.held.find(({ report }) => report.namespace === namespace);
    if (found === undefined) throw new WillisError('not-found', `${namespace} is not held here`);
    return found;
  }

  scan(namespace: Namespace): Promise<ScanReport> {
    return this.#scan('scan', namespace);
  }

  allowRemovals(namespace: Namespace): Promise<ScanReport> {
    return this.#scan('allowRemovals', namespace);
  }

  async waitForAll(namespace: Namespace, signal: AbortSignal): Promise<ListVersion> {
    const version = this.status(namespace).report.version ?? { epoch: '', seq: 0 };
    const isOver = (): boolean =>
      (this.status(namespace).replicas ?? []).every((replica) => standingOf(replica, version) !== 'behind');
    this.waiting++;
    try {
      while (!isOver()) {
        await new Promise<void>((resolve, reject) => {
          this.#waiting.push(resolve);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      }
    } finally {
      this.waiting--;
    }
    return { epoch: version.epoch, seq: version.seq };
  }

  /** Something is otherwise than it was: those who wait look again. */
  change(held: NamespaceStatus[]): void {
    this.held = held;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  promote(namespace: Namespace): Promise<Promotion> {
    this.done.push(`promote ${namespace}`);
    return this.promotion instanceof Error ? Promise.reject(this.promotion) : Promise.resolve(this.promotion);
  }

  #scan(what: string, namespace: Namespace): Promise<ScanReport> {
    this.done.push(`${what} ${namespace}`);
    return Promise.resolve({
      ...{ namespace, published: 0, removed: 0, named: [], version: { epoch, seq: 812 } },
      ...{ held: 0, unsettled: 0, problem: null },
      ...this.scanned,
    });
  }
}
