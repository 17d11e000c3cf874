import { standings, standingOf, type ListVersion, type ReplicaStanding } from '../../replication/replica-standing.js';
import type { NamespaceStatus } from '../../replication/replication-control.js';
import type { SourceStatus } from '../../replication/source/directory-source.js';
import type { Namespace } from '../../wlis/namespace.js';

/** All that an operator is told of a namespace. */
export interface NamespaceView extends Omit<NamespaceStatus, 'source'> {
  /** Null at replicas. */
  readonly source: SourceView | null;
}

/** What a namespace is published from. */
export interface SourceView extends Pick<SourceStatus, 'problem' | 'heldRemovals' | 'watchedDirectories'> {
  /** Files that are not published; of them as many as are worth naming, with the reason. */
  readonly refused: Some<readonly [path: string, reason: string]>;
  /** Files that are being written, it seems. */
  readonly unsettled: Some<string>;
  readonly unreadable: Some<string>;
}

/** Of many the first, and how many there are. */
export interface Some<T> {
  readonly count: number;
  readonly first: readonly T[];
}

/** How the replicas of a namespace stand beside its present head. */
export interface LagProgress {
  readonly namespace: Namespace;
  /** Of the head; null if there is none yet. */
  readonly version: ListVersion | null;
  readonly replicas: Readonly<Record<ReplicaStanding, number>>;
  /** Those behind, by the URL of each, or by its key if it has none. */
  readonly behind: Some<string>;
}

const mostNamed = 100;

export const namespaceView = ({ source, ...status }: NamespaceStatus): NamespaceView => ({
  ...status,
  source: source && {
    ...source,
    refused: some(source.refused),
    unsettled: some(source.unsettled),
    unreadable: some(source.unreadable),
  },
});

/** Where there is no head yet there is nothing that replicas could hold. */
export function lagOf({ report, replicas }: Pick<NamespaceStatus, 'report' | 'replicas'>): LagProgress {
  const { namespace, version } = report;
  const all = replicas ?? [];
  const target = version ?? { epoch: '', seq: 0 };
  const behind = all.filter((replica) => standingOf(replica, target) === 'behind');
  return {
    namespace,
    version: version === null ? null : { epoch: version.epoch, seq: version.seq },
    replicas: standings(all, target),
    behind: some(behind.map(({ id, urls }) => urls[0] ?? id)),
  };
}

const some = <T>(all: readonly T[]): Some<T> => ({ count: all.length, first: all.slice(0, mostNamed) });
