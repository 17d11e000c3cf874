import type { EpochMs } from '../../config/units.js';
import type { AuthorityReport, TrustReport } from '../../wlis/directory/directory-control.js';
import { escapeControls } from '../base/escape.js';
import { counted } from './counted.js';
import type { TextOptions } from './explanation-text.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';
import { textTable } from './text-table.js';

/** What `willis trust` shows to a person. */
export function trustText(report: TrustReport, options: TextOptions): string {
  const { style } = options;
  const parts = [
    ...report.authorities.map((authority) => authorityText(authority, options)),
    ...named('Names', nameTable(report, options), options),
    ...named('Peers', peerTable(report, options), options),
    ...named('Not believed', refusedTable(report, options), options),
    ...named('Liars', liarTable(report, options), options),
  ];
  return parts.length === 0 ? `${style.soft('Nothing has been learned from others yet.')}\n` : parts.join('\n');
}

const named = (title: string, table: string, { style }: TextOptions): string[] =>
  table === '' ? [] : [`${style.strong(title)}\n\n${table}`];

const ways: Readonly<Record<AuthorityReport['learnedBy'], string>> = {
  configured: 'its key stands in wlis.trust.roots',
  tls: 'it told so itself, by TLS',
  'first-use': 'it told so itself over plain HTTP, and wlis.trust.firstUse lets that count',
};

function authorityText({ origin, rootKey, serial, learnedBy, namespaces }: AuthorityReport, options: TextOptions) {
  const { style, width } = options;
  const lines: LabelledLine[] = [
    ['root key', rootKey],
    ['because', ways[learnedBy]],
    ['statement', `number ${serial}`],
    ...namespaces.map(({ namespace, signer, notAfter }, i): LabelledLine => {
      const by = signer === null ? 'nobody signs for it now' : `${signer} signs until ${moment(notAfter as EpochMs)}`;
      return [i === 0 ? 'namespaces' : '', `${escapeControls(namespace)}: ${by}`];
    }),
  ];
  const text = labelledLines(lines, { indent: 2, column: 12, width, label: style.soft });
  return `${style.strong(escapeControls(origin))}\n\n${text}`;
}

function nameTable({ names }: TrustReport, { style }: TextOptions): string {
  if (names.length === 0) return '';
  const rows = names.map(({ name, namespace, by, serial, expires, hasExpired }) => [
    `${name}.wlis`,
    escapeControls(namespace ?? 'nothing any more'),
    by,
    String(serial),
    `${hasExpired ? 'ended ' : ''}${moment(expires)}`,
  ]);
  return textTable([['name'], ['stands for'], ['by'], ['serial', 'right'], ['until']], rows, style, '  ');
}

function peerTable({ peers }: TrustReport, { style }: TextOptions): string {
  if (peers.length === 0) return '';
  const rows = peers.map(({ url, askedAt, problem, records: { news, known, refused, passedOver } }) => [
    escapeControls(url),
    askedAt === null ? 'never' : moment(askedAt),
    ...[news, known, refused, passedOver].map(counted),
    escapeControls(problem ?? ''),
  ]);
  const numbers = (['news', 'known', 'refused', 'passed over'] as const).map((head) => [head, 'right'] as const);
  return textTable([['peer'], ['answered'], ...numbers, ['problem']], rows, style, '  ');
}

function refusedTable({ refused }: TrustReport, { style }: TextOptions): string {
  if (refused.length === 0) return '';
  const rows = refused.map(({ at, about, from, reason, detail }) => [
    ...[moment(at), reason, escapeControls(about), escapeControls(from), escapeControls(detail)],
  ]);
  return textTable([['when'], ['reason'], ['of what'], ['from'], ['in words']], rows, style, '  ');
}

/** As long as that is remembered. */
function liarTable({ liars }: TrustReport, { style }: TextOptions): string {
  if (liars.length === 0) return '';
  const rows = liars.map(({ url, times, last: { at, detail } }) => [
    ...[escapeControls(url), String(times), moment(at), escapeControls(detail ?? '')],
  ]);
  return textTable([['node'], ['times', 'right'], ['last'], ['in words']], rows, style, '  ');
}

const moment = (time: EpochMs): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
