import { bytes } from '../../config/units.js';
import type { StoreReport } from '../admin/store-control.js';
import { escapeControls } from '../base/escape.js';
import { readableSize } from '../base/readable-units.js';
import type { DiskReport } from '../cache/disk/disk-report.js';
import type { Rebuilt } from '../cache/disk/bring-up.js';
import type { Compaction } from '../cache/disk/disk-upkeep.js';
import { isSound, type Verification } from '../cache/disk/disk-verification.js';
import type { StoreUsage } from '../cache/response-store.js';
import type { ClassUsage } from '../cache/retention.js';
import { counted } from './counted.js';
import type { TextOptions } from './explanation-text.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';

/** What `willis store stats` shows to a person. */
export function storeText({ memory, disk }: StoreReport, { style, width }: TextOptions): string {
  const lines = (about: readonly LabelledLine[]): string =>
    labelledLines(about, { indent: 2, column: 17, width, label: style.soft });
  const parts = [
    memory === null ? '' : `${style.strong('In memory')}\n\n${lines(memoryLines(memory))}`,
    disk === null
      ? `Nothing is stored on disk: cache.disk is null.\n`
      : `${style.strong(`On disk, in ${escapeControls(disk.directory)}`)}\n\n${lines(diskLines(disk, disk.lost))}`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

const memoryLines = ({ responses, bytes: used, limit, evicted }: StoreUsage): LabelledLine[] => [
  ['responses', `${counted(responses)}; ${counted(evicted)} evicted`],
  ['in use', used === 0 ? 'nothing' : share(used, limit)],
];

function diskLines(disk: DiskReport, lost: number): LabelledLine[] {
  const { parts, indexFiles, deletedFiles, leastRecent } = disk;
  const indexed = parts.records + parts.index;
  return [
    [
      'responses',
      `${counted(disk.responses)}${disk.partial === null ? '' : `, ${counted(disk.partial)} of them in part`}; ` +
        `${counted(disk.evicted)} evicted, ${counted(lost)} lost since the start`,
    ],
    ['in use', isUnlimited(disk.limit) ? readableSize(disk.bytes) : share(disk.bytes, disk.limit)],
    ['  bodies', readableSize(parts.bodies)],
    ['  index', `${readableSize(bytes(indexed))} with short bodies; its files have ${readableSize(indexFiles)}`],
    [
      '  deleted',
      `${readableSize(parts.deleted)} in ${counted(deletedFiles)} ${files(deletedFiles)} that may still be read`,
    ],
    ['  reserved', `${readableSize(parts.reserved)} for what is being written`],
    ...disk.classes.filter(isSpecial).map((one): LabelledLine => ['rule', classText(one)]),
    ...(leastRecent === null ? [] : [['goes first', first(leastRecent)] satisfies LabelledLine]),
    ...(disk.largest ?? []).map(({ uri, bytes: size }, i): LabelledLine => [
      i === 0 ? 'largest' : '',
      `${escapeControls(uri)} (${readableSize(size)})`,
    ]),
    [
      'state',
      `${disk.isWell ? 'well' : 'not in use: see the event disk-unwell'}${disk.work === null ? '' : `; ${works[disk.work]}`}`,
    ],
    ['format', String(disk.format)],
  ];
}

/** What an operator has said something of beside whether and for how long it is stored. */
const isSpecial = ({ name, pinned, maxBytes }: ClassUsage): boolean => name !== '' && (pinned || maxBytes !== null);

function classText({ name, pinned, maxBytes, responses, bytes: used, evicted, refused }: ClassUsage): string {
  const size = maxBytes === null ? readableSize(used) : share(used, maxBytes);
  const held = `${escapeControls(name)}: ${counted(responses)} ${plural(responses, 'response')}, ${size}`;
  return `${held}${pinned ? `, pinned, ${counted(refused)} refused` : `, ${counted(evicted)} evicted`}`;
}

const works = { verify: 'is being verified', rebuild: 'is being rebuilt', compact: 'is being compacted' };

const first = ({ uri, used, bytes: size }: NonNullable<DiskReport['leastRecent']>): string =>
  `${escapeControls(uri)} (${readableSize(size)}${used === 0 ? '' : `, last used ${hour(used)}`})`;

/** Uses are recorded to the hour. */
const hour = (time: number): string => `${new Date(time).toISOString().slice(0, 13).replace('T', ' ')} h UTC`;

/** What `willis store verify` says in the end. */
export function verificationText(result: Verification): string {
  const { responses, bytes: read, damaged, lost, strayFiles, strayBytes, corrected } = result;
  const checked = `${counted(responses)} stored ${plural(responses, 'response')} with ${readableSize(read)} of content`;
  const shown = lost.slice(0, mostShown);
  const more = damaged - shown.length;
  return [
    damaged === 0
      ? `${checked}: ${result.isWhole ? 'all ' : ''}as they were stored.\n`
      : `${counted(damaged)} damaged, and forgotten; of ${checked}:\n`,
    ...shown.map(({ uri, fault }) => `  ${escapeControls(uri)}: ${escapeControls(fault)}\n`),
    more > 0 ? `  and ${counted(more)} more (--json names up to 1,000)\n` : '',
    isSound({ damaged: 0, corrected }) ? '' : `${correctionText(corrected)}\n`,
    strayFiles > 0
      ? `${counted(strayFiles)} ${files(strayFiles)} that belonged to nothing deleted (${readableSize(strayBytes)}).\n`
      : '',
    result.isWhole ? '' : 'Ended before all was read.\n',
  ].join('');
}

function correctionText({ responses, bytes: size }: Verification['corrected']): string {
  const off = `${counted(Math.abs(responses))} ${plural(Math.abs(responses), 'response')}`;
  const way = responses < 0 || (responses === 0 && size < 0) ? 'many' : 'few';
  return `The index had counted ${off} and ${readableSize(bytes(Math.abs(size)))} too ${way}; it is set right.`;
}

/** What `willis store rebuild` says in the end. */
export function rebuildText({ before, kept, adopted }: Rebuilt): string {
  const lost = Math.max(0, before - kept);
  return [
    `The index is made anew: ${counted(kept)} stored ${plural(kept, 'response')} kept, ${counted(lost)} lost`,
    adopted === 0 ? '' : `; of ${counted(adopted)} only body files knew`,
    '. Each is validated with its origin server before its next use.\n',
  ].join('');
}

/** What `willis store compact` says in the end. */
export const compactionText = ({ freed, files: deleted }: Compaction): string =>
  freed === 0 && deleted === 0
    ? 'There was nothing to give back.\n'
    : `${readableSize(freed)} given back; ${counted(deleted)} ${files(deleted)} deleted.\n`;

const mostShown = 20;

const isUnlimited = (limit: number): boolean => limit >= Number.MAX_SAFE_INTEGER;

const share = (used: StoreUsage['bytes'], limit: StoreUsage['limit']): string =>
  `${readableSize(used)} of ${readableSize(limit)} (${limit === 0 ? 0 : ((used / limit) * 100).toFixed(1)} %)`;

const plural = (count: number, word: string): string => (count === 1 ? word : `${word}s`);
const files = (count: number): string => plural(count, 'body file');
