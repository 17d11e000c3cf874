import { milliseconds } from '../../config/units.js';
import type { Head } from '../../wlis/trust/head.js';
import type { ReplicaReport } from '../namespace-report.js';
import { wallTime, type ViewTime } from './group-view.js';
import type { HeadTimes } from './head-times.js';
import type { Member } from './member-table.js';

/** What is said of a replica beside a head of the primary. */
export function replicaReport(member: Member, head: Head, times: HeadTimes, time: ViewTime): ReplicaReport {
  const { id, node, access, until, parent } = member;
  const held = believed(member, head);
  const changes = held?.epoch === head.epoch ? Math.max(0, head.seq - held.seq) : head.seq;
  const lacks = held?.epoch !== head.epoch || changes > 0;
  return {
    ...{ id, access, urls: node.urls },
    held: member.held === null ? null : { epoch: member.held.epoch, seq: member.held.seq },
    lag: { changes, time: lacks ? times.lacking(held, time.now) : milliseconds(0) },
    activeUntil: wallTime(until, time),
    isActive: until !== null,
    parent: parent ?? null,
  };
}

/** The same number with another root is another list, of which nothing follows. */
const believed = ({ held }: Member, { epoch, seq, root }: Head): Member['held'] =>
  held?.epoch === epoch && held.seq === seq && held.root !== root ? null : held;
