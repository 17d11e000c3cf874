import type { EpochMs } from '../../config/units.js';
import type { GroupReport, ReplicaReport } from '../../wlis/directory/directory-control.js';
import { escapeControls } from '../base/escape.js';
import { counted, countOf } from './counted.js';
import type { TextOptions } from './explanation-text.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';
import { textTable, type Column } from './text-table.js';

/** What `willis groups` shows to a person. */
export function groupsText(reports: readonly GroupReport[], { style }: TextOptions): string {
  if (reports.length === 0) return 'This node has learned of no namespace yet.\n';
  const rows = reports.map((report) => [
    escapeControls(report.namespace),
    escapeControls(report.primary.urls[0] ?? '-'),
    counted(report.replicas.length),
    report.head === null ? '-' : String(report.head.seq),
    report.hasExpired ? `expired ${moment(report.expires)}` : moment(report.issued),
    moment(report.used),
  ]);
  return textTable(columns, rows, style);
}

const columns: readonly Column[] = [
  ...([['namespace'], ['primary'], ['replicas', 'right'], ['seq', 'right'], ['stated'], ['used']] as const),
];

/** What `willis groups URL` shows of one. */
export function groupText(report: GroupReport, { style, width }: TextOptions): string {
  const { namespace, primary, replicas, version, head } = report;
  const lines: LabelledLine[] = [
    ['primary', escapeControls(primary.urls.join(', '))],
    ['version', `${version}, stated ${moment(report.issued)}`],
    ['good until', `${moment(report.expires)}${report.hasExpired ? ': it says only where members are by now' : ''}`],
    ['learned', moment(report.learned)],
    ['used', moment(report.used)],
    ['head', head === null ? 'none was shown yet' : `change ${head.seq} of epoch ${escapeControls(head.epoch)}`],
  ];
  const title = `${style.strong(escapeControls(namespace))}, ${countOf(replicas.length, 'replica')}`;
  return [
    `${title}\n\n`,
    labelledLines(lines, { indent: 2, column: 12, width, label: style.soft }),
    replicas.length === 0 ? '' : `\n${textTable(replicaColumns, replicas.map(replicaRow), style, '  ')}`,
  ].join('');
}

const replicaColumns: readonly Column[] = [
  ...([['replica'], ['access'], ['for'], ['holds'], ['area'], ['capacity', 'right'], ['active until']] as const),
];

function replicaRow(replica: ReplicaReport): string[] {
  const { urls, key, access, browsers, delegate, isPart, area, capacity, activeUntil } = replica;
  const whom = delegate ? 'all, as the primary' : browsers ? 'browsers too' : 'who verifies';
  return [
    ...[escapeControls(urls[0] ?? key), access, whom, isPart ? 'a part' : 'all', area ?? '-'],
    ...[counted(capacity), moment(activeUntil)],
  ];
}

const moment = (time: EpochMs): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
