import { median } from './median.js';
import { figureOf, memoryRatioOf, ratioOf } from './results.js';
import type { Figure, MemoryRowResult, PeerResult, Results, RowResult } from './results.js';
import { millisecondsOf, percent, ratio, table, tenths, whole } from './table.js';

const references = ['squid', 'nginx'] as const;

/** The results in Markdown. */
export function report({ rows, memory, circumstances }: Results): string {
  return [
    circumstances.map((sentence) => `- ${sentence}`).join('\n'),
    ...summary(rows, memory),
    ...rows.map(rowTable),
    ...memory.map(memoryTable),
  ].join('\n\n');
}

/** Willis divided by the others, one line for each row. */
function summary(rows: readonly RowResult[], memory: readonly MemoryRowResult[]): string[] {
  const known = (name: string): boolean => [...rows, ...memory].some((row) => measured(row, name));
  const others = references.filter(known);
  if (!known('willis') || others.length === 0) return [];
  const lines = [
    ...rows.map((row) => [
      row.title,
      ...others.flatMap((other) => compared.map(({ figure }) => ratio(ratioOf(row, figure, 'willis', other)))),
    ]),
    ...memory.map((row) => [
      row.title,
      ...others.flatMap((other) => [ratio(null), ratio(memoryRatioOf(row, 'willis', other)), ratio(null)]),
    ]),
  ];
  const heads = others.flatMap((other) => ['per second', 'CPU or memory', 'p99'].map((what) => `${what} : ${other}`));
  return [`### Willis divided by ${others.join(' and by ')}\n\n${table(['row', ...heads], lines)}`];
}

const compared: readonly { readonly figure: Figure; readonly name: string }[] = [
  { figure: 'perSecond', name: 'per second' },
  { figure: 'cpuMicroseconds', name: 'CPU' },
  { figure: 'p99Microseconds', name: 'p99' },
];

const measured = ({ results }: RowResult | MemoryRowResult, name: string): boolean =>
  results.some((result) => result.peer === name && !('rounds' in result && result.rounds.length === 0));

function rowTable(row: RowResult): string {
  const others = references.filter((name) => measured(row, name));
  // Columns that no machine of this run can fill.
  const counted = row.results.some(({ peer }) => figureOf(row, peer, 'instructions') !== null);
  const writes = row.results.some(({ peer }) => figureOf(row, peer, 'writtenPerByte') !== null);
  const heads = [
    ...['peer', row.unit === 'MB' ? 'MB/s' : 'requests/s', 'spread', row.unit === 'MB' ? 'CPU µs per MB' : 'CPU µs'],
    ...(counted ? ['instructions', 'cycles'] : []),
    ...(writes ? ['written : body'] : []),
    ...['core busy', 'p50 ms', 'p99 ms'],
    ...compared.flatMap(({ name }) => others.map((other) => `${name} : ${other}`)),
  ];
  const lines = row.results.map(({ peer, rounds }) => {
    const of = (figure: Figure): number | null => figureOf(row, peer, figure);
    return [
      ...[peer, whole(of('perSecond')), percent(spread(rounds)), tenths(of('cpuMicroseconds'))],
      ...(counted ? [whole(of('instructions')), whole(of('cycles'))] : []),
      ...(writes ? [ratio(of('writtenPerByte'))] : []),
      ...[percent(of('busy')), millisecondsOf(of('p50Microseconds')), millisecondsOf(of('p99Microseconds'))],
      ...compared.flatMap(({ figure }) => others.map((other) => ratio(ratioOf(row, figure, peer, other)))),
    ];
  });
  const unable = row.results.filter(({ rounds }) => rounds.length === 0).map(({ peer }) => peer);
  const footnote = unable.length === 0 ? '' : `\n\n–: ${unable.join(' and ')} cannot do that.`;
  return `### ${row.title}\n\n${table(heads, lines)}${footnote}`;
}

function memoryTable(row: MemoryRowResult): string {
  const others = references.filter((name) => measured(row, name));
  const lines = row.results.map(({ peer, beforeBytes, afterBytes, bytesEach }) => [
    ...[peer, tenths(beforeBytes / 1e6), tenths(afterBytes / 1e6), whole(bytesEach)],
    ...others.map((other) => ratio(memoryRatioOf(row, peer, other))),
  ]);
  const heads = ['peer', 'MB before', 'MB after', `bytes a ${row.unit}`, ...others.map((other) => `: ${other}`)];
  return `### ${row.title}\n\n${table(heads, lines)}`;
}

/** How far apart the best and the worst round are, as a share of the median. */
function spread(rounds: PeerResult['rounds']): number | null {
  const values = rounds.map(({ perSecond }) => perSecond);
  return values.length === 0 ? null : (Math.max(...values) - Math.min(...values)) / median(values);
}
