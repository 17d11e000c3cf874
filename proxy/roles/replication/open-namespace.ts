import type { HeldNamespace } from '../../../replication/held-namespace.js';
import type { NamespaceReport } from '../../../replication/namespace-report.js';
import type { NamespaceStatus, Promotion, ScanReport } from '../../../replication/replication-control.js';
import type { ListVersion } from '../../../replication/replica-standing.js';
import type { NamespaceTree } from '../../../replication/tree/namespace-tree.js';
import type { Version } from '../../../wlis/trust/epoch.js';
import type { RootChain } from '../../../wlis/trust/root-chain.js';
import type { Upstream } from '../../forward/upstream.js';

/** A namespace that is held, with all that belongs to it. */
export interface OpenNamespace {
  readonly held: HeldNamespace;
  readonly tree: NamespaceTree;
  /** The newest version that is believed to be there, be it held or not yet; null if none is known. */
  readonly known: Version | null;
  /** What this node may hand on of the root of the authority. */
  rootChain(): RootChain | Promise<RootChain>;
  /** For what only the primary can answer; null if that is this node. */
  readonly toPrimary: WayToPrimary | null;
  report(): NamespaceReport;
  status(): NamespaceStatus;
  /** Null where this node is not the primary. */
  readonly source: SourceControl | null;
  /** Null where this node is the primary. */
  readonly promote: (() => Promise<Promotion>) | null;
  /** Takes this node out of the group; null where it is the primary. */
  readonly leave: (() => Promise<void>) | null;
  /** There is more room for contents than before. */
  haveRoom(): void;
  /** Idempotent. */
  stop(): Promise<void>;
  /** After `stop`, where the node goes on: what only this has needed of the contents may be deleted. */
  letGo(): Promise<void>;
}

export interface WayToPrimary {
  /** `https://primary.example` */
  readonly url: string;
  /** The group says so; otherwise it is where the operator said that somebody knows the primary. */
  readonly isStated: boolean;
  readonly upstream: Upstream;
}

export interface SourceControl {
  scan(): Promise<ScanReport>;
  allowRemovals(): Promise<ScanReport>;
  waitForAll(signal: AbortSignal): Promise<ListVersion>;
}
