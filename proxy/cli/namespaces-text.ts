import { toSeconds, type Bytes, type EpochMs } from '../../config/units.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import type { NamespaceView, Some, SourceView } from '../admin/namespace-view.js';
import { escapeControls } from '../base/escape.js';
import { readableDuration, readableSize } from '../base/readable-units.js';
import { counted, countOf } from './counted.js';
import type { TextOptions } from './explanation-text.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';
import { lagText, replicaTable } from './replicas-text.js';
import { textTable, type Column } from './text-table.js';

/** What `willis namespaces` shows to a person. */
export function namespacesText(reports: readonly NamespaceReport[], { style }: TextOptions): string {
  if (reports.length === 0)
    return 'This node holds no namespace: primary.namespaces and replicated.namespaces are empty.\n';
  const rows = reports.map((report) => [
    escapeControls(report.namespace),
    report.role,
    stateWords[report.state],
    report.version === null ? '-' : String(report.version.seq),
    counted(report.documents),
    contentText(report.bytes, report.totalBytes),
    lagText(report.lag),
    escapeControls(report.parent ?? '-'),
  ]);
  const reasons = reports
    .filter(({ reason }) => reason !== null)
    .map(({ namespace, reason }) => `${escapeControls(namespace)}: ${escapeControls(reason ?? '')}\n`);
  return `${textTable(columns, rows, style)}${reasons.length === 0 ? '' : `\n${reasons.join('')}`}`;
}

const columns: readonly Column[] = [
  ...([['namespace'], ['role'], ['state'], ['seq', 'right'], ['documents', 'right']] as const),
  ...([['bytes', 'right'], ['lag'], ['parent']] as const),
];

export const stateWords: Readonly<Record<NamespaceReport['state'], string>> = {
  'in-step': 'in step',
  behind: 'behind',
  'cut-off': 'cut off',
  joining: 'joining',
  held: 'held',
};

/** What `willis status` shows to a person. */
export function namespaceText(view: NamespaceView, options: TextOptions): string {
  const { report, replicas } = view;
  const { style, width } = options;
  const lines = [
    ...contentLines(view),
    ...treeLines(view),
    ...sourceLines(view.source, report),
    ...counterLines(report),
  ];
  const title = `${style.strong(escapeControls(report.namespace))}, ${report.role}, ${stateWords[report.state]}`;
  const reason = report.reason === null ? '' : `: ${escapeControls(report.reason)}`;
  return [
    `${title}${reason}\n\n`,
    labelledLines(lines, { indent: 2, column: 15, width, label: style.soft }),
    replicas === null || replicas.length === 0 ? '' : `\n${replicaTable(replicas, report.version, options)}`,
  ].join('');
}

function contentLines({ report, head }: NamespaceView): LabelledLine[] {
  const { version, known, documents, bytes, totalBytes, lag, confirmedAge } = report;
  const isBehind = version === null ? known !== null : known !== null && known.seq > version.seq;
  return [
    ['holds', version === null ? 'nothing yet' : `change ${version.seq} of epoch ${escapeControls(version.epoch)}`],
    ...(version === null ? [] : [['root', version.root] satisfies LabelledLine]),
    ...(isBehind ? [['newest known', `change ${known?.seq ?? 0}`] satisfies LabelledLine] : []),
    ...(head === null ? [] : [['head', `of ${moment(head.issued)}, good until ${moment(head.expires)}`] as const]),
    ['documents', `${counted(documents)}; ${contentText(bytes, totalBytes)} of content is here`],
    ['lag', lagText(lag)],
    ...(version === null ? [] : [['confirmed', `${readableDuration(toSeconds(confirmedAge))} ago`] as const]),
  ];
}

function treeLines({ report, primary }: NamespaceView): LabelledLine[] {
  const { parent, ancestors, activeUntil, children } = report;
  return [
    ...listed('primary', primary === null ? [] : [primary]),
    ...listed('pulls from', parent === null ? [] : [parent]),
    ...listed(
      'else from',
      ancestors.filter((one) => one !== parent),
    ),
    ...(activeUntil === null ? [] : [['admitted', `until ${moment(activeUntil)}`] as const]),
    ...listed('tells', children),
  ];
}

function sourceLines(source: SourceView | null, { namespace }: NamespaceReport): LabelledLine[] {
  if (source === null) return [];
  const { problem, heldRemovals, refused, unsettled, unreadable } = source;
  const why = refused.first.map(([path, reason]) => `${path} (${reason})`);
  return [
    ...listed('problem', problem === null ? [] : [problem.message]),
    ...(heldRemovals === 0
      ? []
      : [
          [
            'held',
            `${countOf(heldRemovals, 'removal')}; if they are meant: willis changed ${namespace} --allow-removals`,
          ] satisfies LabelledLine,
        ]),
    ...someLines('unpublished', { count: refused.count, first: why }),
    ...someLines('being written', unsettled),
    ...someLines('unreadable', unreadable),
  ];
}

function counterLines({ counters, role }: NamespaceReport): LabelledLine[] {
  const { changes, bytesPulled, bytesSpared, refused } = counters;
  const reasons = Object.entries(refused).map(([reason, count]) => `${counted(count)} ${escapeControls(reason)}`);
  const told = `${counted(counters.notificationsSent)} sent, ${counted(counters.notificationsFailed)} failed`;
  const pulled = `; ${readableSize(bytesPulled)} pulled, ${readableSize(bytesSpared)} spared`;
  return [
    ['since start', `${countOf(changes, 'change')} ${role === 'primary' ? 'published' : `taken${pulled}`}`],
    ['notifications', role === 'primary' ? told : `${counted(counters.notificationsReceived)} received, ${told}`],
    ...listed('refused', reasons.length === 0 ? [] : [reasons.join(', ')]),
  ];
}

/** Each on a line of its own. */
const listed = (label: string, texts: readonly string[]): LabelledLine[] =>
  texts.map((text, i) => [i === 0 ? label : '', escapeControls(text)]);

const mostShown = 10;

function someLines(label: string, { count, first }: Some<string>): LabelledLine[] {
  const shown = first.slice(0, mostShown);
  const more = count - shown.length;
  return listed(label, more > 0 ? [...shown, `and ${counted(more)} more`] : shown);
}

const contentText = (held: Bytes, total: Bytes): string =>
  held === total ? readableSize(held) : `${readableSize(held)} of ${readableSize(total)}`;

const moment = (time: EpochMs): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
