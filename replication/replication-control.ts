import type { Namespace } from '../wlis/namespace.js';
import type { Head } from '../wlis/trust/head.js';
import type { NamespaceReport, ReplicaReport } from './namespace-report.js';
import type { ListVersion } from './replica-standing.js';
import type { SourceStatus } from './source/directory-source.js';

/**
 * What the operator side may know of the replication of its node, and ask of it. Whatever concerns one namespace @throws (or
 * rejects with) WillisError not-found, which says what is held, if it is not held here.
 */
export interface ReplicationControl {
  /** Of all namespaces that are held here or are to be, in the order of their URLs. Costs little: it is asked often. */
  namespaces(): readonly NamespaceReport[];
  status(namespace: Namespace): NamespaceStatus;
  /**
   * Looks at all that the namespace is published from, and publishes what has changed. Fulfilled when the head of that is
   * signed, or when it is known that nothing can be published. @throws WillisError not-primary
   */
  scan(namespace: Namespace): Promise<ScanReport>;
  /** What is missing in the source is meant to be: removals that were held are published. As `scan`. */
  allowRemovals(namespace: Namespace): Promise<ScanReport>;
  /**
   * Fulfilled with the version that the primary had when this was called, once `holds` it is true of each replica that is in
   * the group then: one that leaves is waited for no longer, one that joins is waited for, too. Rejects with the signal, and
   * when the node stops. @throws WillisError not-primary
   */
  waitForAll(namespace: Namespace, signal: AbortSignal): Promise<ListVersion>;
  /**
   * Makes this replica the primary, for good: the delegation is stated anew, and a new epoch begins with the documents that
   * are here. @throws WillisError promotion-refused, with what is wanting, and nothing has changed
   */
  promote(namespace: Namespace): Promise<Promotion>;
}

/** What there is to be known of a namespace at this node. */
export interface NamespaceStatus {
  readonly report: NamespaceReport;
  /** Of the edition; null if there is none yet. */
  readonly head: Head | null;
  /** `https://www.example.org`, as the group or the configuration says; null if this node is the primary. */
  readonly primary: string | null;
  /** Only the primary knows; null elsewhere. */
  readonly replicas: readonly ReplicaReport[] | null;
  /** What it is published from; null at replicas. */
  readonly source: SourceStatus | null;
}

/** What came of looking at a source. */
export interface ScanReport {
  readonly namespace: Namespace;
  /** Documents that are new or have changed. */
  readonly published: number;
  readonly removed: number;
  /** Of both as many as are worth naming, at most 1000. */
  readonly named: readonly { readonly path: string; readonly is: 'published' | 'removed' }[];
  /** Of the head by which all of that can be proven; null if there is none yet. */
  readonly version: ListVersion | null;
  /** Removals that wait to be allowed. */
  readonly held: number;
  /** Files that are still being written, it seems: they are published once they are not. */
  readonly unsettled: number;
  /** What keeps the source from being published as it is, in a sentence. */
  readonly problem: string | null;
}

/** What came of making a replica the primary. */
export interface Promotion {
  readonly namespace: Namespace;
  readonly version: ListVersion;
  readonly documents: number;
  /** What publishes the documents from files, to be written into the configuration: YAML. */
  readonly configuration: string;
  /** What is left to the operator to do, in sentences. */
  readonly left: readonly string[];
}
