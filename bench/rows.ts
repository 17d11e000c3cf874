import type { Load } from './load.js';
import { bodySizes, type StatusCounts } from './origin.js';

export type LoadRowName = 'hit-1k' | 'hit-100k' | 'miss' | 'revalidate';
export type RowName = LoadRowName | 'memory';

/** One kind of request, asked for as fast as the peer answers. */
export interface LoadRow {
  readonly title: string;
  readonly bodyBytes: number;
  /** An expression of Lua for the path of request number `n`; `turn` is a word that no other measurement has. */
  path(turn: string): string;
  /** Paths that are asked for again and again, null if none is asked for twice. */
  readonly paths: readonly string[] | null;
  /** Whether the origin's answers are as many, and of the status, as such requests need. */
  isWhatItSays(load: Load, answers: StatusCounts, connections: number): boolean;
}

const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

const total = (answers: StatusCounts): number => Object.values(answers).reduce((sum, count) => sum + count, 0);

const hit = (title: string, size: keyof typeof bodySizes): LoadRow => ({
  title,
  bodyBytes: bodySizes[size],
  path: () => `'/${size}/' .. n`,
  paths: numbered(`/${size}/`, 64),
  isWhatItSays: (_load, answers) => total(answers) === 0,
});

/** Requests still under way when the load ends reach the origin and are not counted by the load generator. */
const oneEach = (load: Load, answers: StatusCounts, status: string, connections: number): boolean =>
  (answers[status] ?? 0) >= load.requests && total(answers) <= load.requests + 2 * connections;

export const rows: Readonly<Record<LoadRowName, LoadRow>> = {
  'hit-1k': hit('Hits, 1 kB', '1k'),
  'hit-100k': hit('Hits, 100 kB', '100k'),
  miss: {
    title: 'Misses, 1 kB, stored',
    bodyBytes: bodySizes['1k'],
    path: (turn) => `'/1k/${turn}/' .. n`,
    paths: null,
    isWhatItSays: (load, answers, connections) => oneEach(load, answers, '200', connections),
  },
  revalidate: {
    title: 'Revalidations, 1 kB, one 304 each',
    bodyBytes: bodySizes['1k'],
    path: () => `'/stale/' .. n`,
    // More than there are connections, so that hardly two wait for the same answer.
    paths: numbered('/stale/', 256),
    isWhatItSays: (load, answers, connections) => oneEach(load, answers, '304', connections),
  },
};
