import { toSeconds } from '../../config/units.js';
import type { NamespaceReport, ReplicaReport } from '../../replication/namespace-report.js';
import { standingOf, type ListVersion, type ReplicaStanding } from '../../replication/replica-standing.js';
import type { LagProgress } from '../admin/namespace-view.js';
import { escapeControls } from '../base/escape.js';
import { readableDuration } from '../base/readable-units.js';
import { counted, countOf } from './counted.js';
import type { TextOptions } from './explanation-text.js';
import { textTable, type Column } from './text-table.js';

/** `none`, or `2 changes, 3 s`. */
export const lagText = ({ changes, time }: NamespaceReport['lag']): string =>
  changes === 0 ? 'none' : `${countOf(changes, 'change')}, ${readableDuration(toSeconds(time))}`;

/** The replicas of a namespace beside the version of its primary. */
export function replicaTable(
  replicas: readonly ReplicaReport[],
  version: ListVersion | null,
  { style }: TextOptions,
): string {
  const nameOf = new Map(replicas.map(({ id, urls }) => [id, urls[0] ?? id]));
  const rows = replicas.map((replica) => [
    escapeControls(replica.urls[0] ?? replica.id),
    replica.access,
    standingWords[standingOf(replica, version ?? { epoch: '', seq: 0 })],
    heldText(replica, version),
    lagText(replica.lag),
    replica.parent === null ? 'primary' : escapeControls(nameOf.get(replica.parent) ?? replica.parent),
  ]);
  return textTable(columns, rows, style, '  ');
}

const columns: readonly Column[] = [
  ...([['replica'], ['access'], ['state'], ['holds', 'right'], ['lag'], ['pulls from']] as const),
];

export const standingWords: Readonly<Record<ReplicaStanding, string>> = {
  'in-step': 'in step',
  behind: 'behind',
  silent: 'not heard of',
};

function heldText({ held }: ReplicaReport, version: ListVersion | null): string {
  if (held === null) return '-';
  return held.epoch === version?.epoch ? String(held.seq) : `${held.seq} of ${escapeControls(held.epoch)}`;
}

/** How many replicas of a namespace hold what it is now: one sentence. */
export function lagSentence({ namespace, version, replicas }: LagProgress): string {
  const { 'in-step': inStep, behind, silent } = replicas;
  const of = inStep + behind;
  const missing = silent === 0 ? '' : `; ${countOf(silent, 'replica')} not heard of`;
  if (version === null) return `${escapeControls(namespace)} has no head yet${missing}`;
  const held = of === 0 ? 'there are no replicas' : `${counted(inStep)} of ${countOf(of, 'replica')} in step`;
  return `${escapeControls(namespace)} at change ${version.seq}: ${held}${missing}`;
}
