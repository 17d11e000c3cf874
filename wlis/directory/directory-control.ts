import type { Bytes, EpochMs } from '../../config/units.js';
import type { Blamed } from '../health/health-table.js';
import type { Namespace } from '../namespace.js';
import type { KeyId } from '../trust/public-key.js';
import type { LearnedBy } from '../trust/root-pin.js';
import type { Version } from '../trust/epoch.js';
import type { Refusal } from './directory-refusals.js';
import type { PeerState } from './peer-exchange.js';

/** What a node knows of a namespace that it does not hold. */
export interface GroupReport {
  readonly namespace: Namespace;
  readonly version: number;
  readonly primary: MemberReport;
  readonly replicas: readonly ReplicaReport[];
  readonly learned: EpochMs;
  /** When it was needed last. */
  readonly used: EpochMs;
  readonly issued: EpochMs;
  readonly expires: EpochMs;
  /** Whether it only says any more where members are. */
  readonly hasExpired: boolean;
  /** The newest head that was shown; null if none was. */
  readonly head: Version | null;
}

export interface MemberReport {
  readonly key: KeyId;
  readonly urls: readonly string[];
  /** Country, two letters in lower case; null if it is not said. */
  readonly area: string | null;
  readonly capacity: number;
}

export interface ReplicaReport extends MemberReport {
  readonly access: 'listed' | 'open';
  readonly browsers: boolean;
  readonly delegate: boolean;
  /** Whether it holds only a part. */
  readonly isPart: boolean;
  readonly activeUntil: EpochMs;
}

/** Whom a node believes, and why. */
export interface TrustReport {
  readonly authorities: readonly AuthorityReport[];
  readonly names: readonly NameReport[];
  readonly peers: readonly PeerState[];
  /** What was not believed, the newest first. */
  readonly refused: readonly Refusal[];
  /** Nodes that have sent what cannot be true, within a week. */
  readonly liars: readonly Blamed[];
}

export interface AuthorityReport {
  readonly origin: string;
  readonly rootKey: KeyId;
  readonly serial: number;
  /** How its root came to be known. */
  readonly learnedBy: LearnedBy;
  readonly namespaces: readonly {
    readonly namespace: Namespace;
    /** Whose statements count; null if nobody's do any more. */
    readonly signer: KeyId | null;
    readonly notAfter: EpochMs | null;
  }[];
}

export interface NameReport {
  readonly name: string;
  /** Null if it stands for nothing any more. */
  readonly namespace: Namespace | null;
  readonly by: KeyId;
  readonly serial: number;
  readonly expires: EpochMs;
  readonly hasExpired: boolean;
}

/** Of a directory in figures. */
export interface DirectoryFigures {
  readonly namespaces: number;
  readonly authorities: number;
  readonly names: number;
  readonly bytes: Bytes;
  readonly underWay: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly peers: readonly PeerState[];
}

/** What the operator side may know of the directory of its node, and have done by it. */
export interface DirectoryControl {
  /** Those that were needed last first. */
  groups(): readonly GroupReport[];
  /** Of the namespace that a URI belongs to; null if it is not known. */
  group(uri: string): GroupReport | null;
  trust(): TrustReport;
  /** So that it is learned anew. @returns whether it was known */
  forget(origin: string): Promise<boolean>;
  figures(): DirectoryFigures;
}
