import { median } from './median.js';
import type { Measurement } from './measure.js';
import { storedResponses, type MemoryResult } from './memory.js';

/** One peer in one row: its measurements in the order of the rounds. */
export interface PeerResult {
  readonly peer: string;
  readonly rounds: readonly Measurement[];
}

export interface RowResult {
  readonly title: string;
  readonly results: readonly PeerResult[];
}

export interface PeerMemory extends MemoryResult {
  readonly peer: string;
}

export interface Results {
  readonly rows: readonly RowResult[];
  /** Null when it was not asked for. */
  readonly memory: readonly PeerMemory[] | null;
  /** What was measured, where and how: one sentence each. */
  readonly circumstances: readonly string[];
}

const references = ['squid', 'nginx'] as const;

/** The results in Markdown. */
export function report({ rows, memory, circumstances }: Results): string {
  const parts = [circumstances.map((sentence) => `- ${sentence}`).join('\n'), ...rows.map(rowTable)];
  if (memory !== null) parts.push(memoryTable(memory));
  return parts.join('\n\n');
}

function rowTable({ title, results }: RowResult): string {
  const columns = ['peer', 'requests/s', 'spread', 'CPU µs', 'instructions', 'core busy', 'p50 ms', 'p99 ms'];
  const ratios = references.filter((name) => results.some(({ peer }) => peer === name));
  const of = (peer: string, key: keyof Measurement): number => mid(results, peer, key) ?? NaN;
  const lines = results.map(({ peer, rounds }) => {
    const instructions = mid(results, peer, 'instructions');
    return [
      peer,
      whole(of(peer, 'perSecond')),
      percent(spread(rounds.map(({ perSecond }) => perSecond))),
      of(peer, 'cpuMicroseconds').toFixed(1),
      instructions === null ? '–' : whole(instructions),
      percent(of(peer, 'busy')),
      (of(peer, 'p50Microseconds') / 1000).toFixed(2),
      (of(peer, 'p99Microseconds') / 1000).toFixed(2),
      ...ratios.map((name) => ratio(of(peer, 'perSecond') / of(name, 'perSecond'))),
      ...ratios.map((name) => ratio(of(peer, 'cpuMicroseconds') / of(name, 'cpuMicroseconds'))),
    ];
  });
  const heads = [...columns, ...ratios.map((name) => `req/s : ${name}`), ...ratios.map((name) => `CPU : ${name}`)];
  return `### ${title}\n\n${table(heads, lines)}`;
}

function memoryTable(memory: readonly PeerMemory[]): string {
  const lines = memory.map(({ peer, beforeBytes, afterBytes, bytesPerResponse }) => [
    peer,
    (beforeBytes / 1e6).toFixed(1),
    (afterBytes / 1e6).toFixed(1),
    whole(bytesPerResponse),
    ...references.flatMap((name) => {
      const other = memory.find((one) => one.peer === name);
      return other === undefined ? [] : [ratio(bytesPerResponse / other.bytesPerResponse)];
    }),
  ]);
  const ratios = references.filter((name) => memory.some(({ peer }) => peer === name));
  const heads = ['peer', 'MB before', 'MB after', 'bytes a response', ...ratios.map((name) => `: ${name}`)];
  return `### Memory of ${whole(storedResponses)} stored responses of 1 kB\n\n${table(heads, lines)}`;
}

/** The median of the rounds; null when a round has no such figure. */
function mid(results: readonly PeerResult[], peer: string, key: keyof Measurement): number | null {
  const rounds = results.find((one) => one.peer === peer)?.rounds ?? [];
  const values = rounds.map((round) => round[key]).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

/** How far apart the best and the worst round are, as a share of the median. */
const spread = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / median(values);

const table = (heads: readonly string[], lines: readonly (readonly string[])[]): string =>
  [heads, heads.map((_, column) => (column === 0 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

const whole = (value: number): string => Math.round(value).toLocaleString('en-GB');
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const ratio = (value: number): string => value.toFixed(2);
