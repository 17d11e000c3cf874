import { bytes, milliseconds, type Bytes, type Milliseconds } from '../config/units.js';
import type { Namespace } from '../wlis/namespace.js';
import type { Epoch } from '../wlis/trust/epoch.js';
import type { Edition } from './held-namespace.js';
import type { NamespaceReport, ReplicationCounters } from './namespace-report.js';
import type { SourceStatus } from './source/directory-source.js';

/** How a primary is. */
export interface PrimaryState {
  readonly namespace: Namespace;
  readonly published: {
    readonly epoch: Epoch;
    readonly seq: number;
    readonly documents: number;
    readonly bytes: Bytes;
    /** Since the start. */
    readonly changes: number;
  };
  readonly edition: Edition | null;
  /** Of the edition. */
  readonly age: Milliseconds;
  /** Why no head could be signed. */
  readonly unsigned: string | null;
  /** Whether heads are signed. */
  readonly isBegun: boolean;
  /** Null before it is looked at. */
  readonly source: SourceStatus | null;
}

/** What a primary knows of itself. Children and notifications are those of the tree of servers. */
export function primaryReport(state: PrimaryState): NamespaceReport {
  const { namespace, published, edition, age } = state;
  const { epoch, seq, documents, bytes: total, changes } = published;
  const head = edition?.head.head;
  const isSigned = head?.epoch === epoch && head.seq === seq;
  return {
    namespace,
    role: 'primary',
    ...standing(state, isSigned),
    version: head === undefined ? null : { epoch: head.epoch, seq: head.seq, root: head.root },
    known: { epoch, seq },
    documents,
    bytes: total,
    totalBytes: total,
    lag: isSigned || head === undefined ? noLag : { changes: behind(head.epoch === epoch, seq, head.seq), time: age },
    confirmedAge: age,
    parent: null,
    ancestors: [],
    activeUntil: null,
    children: [],
    counters: { ...noCounters, changes },
  };
}

function standing(
  { source, unsigned, isBegun }: PrimaryState,
  isSigned: boolean,
): Pick<NamespaceReport, 'state' | 'reason'> {
  const problem = source?.problem ?? null;
  if (problem?.code === 'source-gone' || problem?.code === 'source-held')
    return { state: 'held', reason: problem.message };
  if (unsigned !== null) return { state: 'behind', reason: `no head can be signed: ${unsigned}` };
  if (problem !== null) return { state: isBegun ? 'behind' : 'joining', reason: problem.message };
  if (!isBegun)
    return { state: 'joining', reason: 'nothing is published yet: there is no head before the first document' };
  return { state: isSigned ? 'in-step' : 'behind', reason: null };
}

const behind = (isSameEpoch: boolean, seq: number, signed: number): number => (isSameEpoch ? seq - signed : seq);

const noLag = { changes: 0, time: milliseconds(0) };

const noCounters: ReplicationCounters = {
  changes: 0,
  bytesPulled: bytes(0),
  bytesSpared: bytes(0),
  refused: {},
  notificationsReceived: 0,
  notificationsSent: 0,
  notificationsFailed: 0,
};
