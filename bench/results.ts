import type { Latency, Measurement } from './measure.js';
import { median } from './median.js';
import type { Storage } from './peers/peer.js';
import type { MemoryResult } from './memory.js';

/** One peer in one row: its measurements in the order of the rounds; none of a peer that does not do such things. */
export interface PeerResult {
  readonly peer: string;
  readonly rounds: readonly Measurement[];
  readonly latencies: readonly Latency[];
}

export interface RowResult {
  readonly title: string;
  readonly storage: Storage;
  readonly unit: 'request' | 'MB';
  readonly results: readonly PeerResult[];
}

export interface PeerMemory extends MemoryResult {
  readonly peer: string;
}

export interface MemoryRowResult {
  readonly title: string;
  /** One of the things that were counted. */
  readonly unit: string;
  readonly results: readonly PeerMemory[];
}

export interface Results {
  readonly rows: readonly RowResult[];
  readonly memory: readonly MemoryRowResult[];
  /** What was measured, where and how: one sentence each. */
  readonly circumstances: readonly string[];
}

export type Figure = keyof Measurement | keyof Latency;

/** The median of the rounds; null where there is no such figure. */
export function figureOf({ results }: RowResult, peer: string, figure: Figure): number | null {
  const one = results.find((result) => result.peer === peer);
  const values = [...(one?.rounds ?? []), ...(one?.latencies ?? [])]
    .map((found) => (found as Partial<Record<Figure, number | null>>)[figure] ?? null)
    .filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

/** How many times the other peer's figure this peer's is; null where one of them has none. */
export function ratioOf(row: RowResult, figure: Figure, peer: string, reference: string): number | null {
  const [one, other] = [figureOf(row, peer, figure), figureOf(row, reference, figure)];
  return one === null || other === null ? null : one / other;
}

export function memoryRatioOf({ results }: MemoryRowResult, peer: string, reference: string): number | null {
  const [one, other] = [peer, reference].map((name) => results.find((result) => result.peer === name));
  return one === undefined || other === undefined ? null : one.bytesEach / other.bytesEach;
}
