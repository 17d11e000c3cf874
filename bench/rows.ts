import type { Load } from './load.js';
import type { FileTraffic } from './file-traffic.js';
import { bodySizes, type StatusCounts } from './origin.js';
import type { Storage } from './peers/peer.js';

export type LoadRowName =
  | ('hit-1k' | 'hit-100k' | 'hit-1m' | 'not-modified' | 'miss' | 'revalidate' | 'tunnel')
  | ('disk-hit-1k' | 'disk-hit-100k' | 'disk-miss-1k' | 'disk-miss-100k');
export type RowName = LoadRowName | 'memory' | 'idle';

export interface DiskUse extends FileTraffic {
  /** Which share of what is stored may be lost again. */
  readonly loses: number;
}

/** One kind of request, asked for as fast as the peer answers, and then half as fast. */
export interface LoadRow {
  readonly title: string;
  readonly storage: Storage;
  /** What is counted: one is one request. */
  readonly unit: 'request' | 'MB';
  /** What every answer must be. */
  readonly status: 200 | 304;
  readonly bodyBytes: number;
  /**
   * An expression of Lua for the path of request number `n`, or of the number that is given; `turn` is a word that no other
   * measurement has.
   */
  path(turn: string, number?: string): string;
  /** Paths that are asked for again and again, null if none is asked for twice. */
  readonly paths: readonly string[] | null;
  /** Whether requests say that they have the response already, by the entity-tag that the first answer had. */
  readonly conditional: boolean;
  /** Whether requests go to the origin through tunnels. */
  readonly tunnelled: boolean;
  /** Whether every answer is in the store afterwards, so that the same requests are hits; else nothing is said of that. */
  readonly stores: boolean;
  /** Whether the origin's answers are as many, and of the status, as such requests need, and files are used as they must be. */
  isWhatItSays(load: Load, answers: StatusCounts, connections: number, disk: DiskUse): boolean;
}

const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

const total = (answers: StatusCounts): number => Object.values(answers).reduce((sum, count) => sum + count, 0);

const plain = {
  storage: 'memory',
  unit: 'request',
  status: 200,
  conditional: false,
  tunnelled: false,
  stores: false,
} as const;

const hit = (title: string, size: keyof typeof bodySizes): LoadRow => ({
  ...plain,
  title,
  bodyBytes: bodySizes[size],
  path: () => `'/${size}/' .. n`,
  paths: numbered(`/${size}/`, 64),
  isWhatItSays: (_load, answers) => total(answers) === 0,
});

/** Requests still under way when the load ends reach the origin and are not counted by the load generator. */
const oneEach = (load: Load, answers: StatusCounts, status: string, connections: number): boolean =>
  (answers[status] ?? 0) >= load.requests && total(answers) <= load.requests + 2 * connections;

/**
 * Far more than the peers may hold in memory, asked for in turn: what was used last is never asked for next. Files are read
 * for all of it, through the kernel's cache; but an index that is mapped into memory is read without being counted.
 */
const diskHit = (size: '1k' | '100k', count: number): LoadRow => ({
  ...plain,
  title: `Hits on disk, ${sizeNames[size]}`,
  storage: 'disk',
  bodyBytes: bodySizes[size],
  path: () => `'/${size}/' .. n`,
  paths: numbered(`/${size}/`, count),
  isWhatItSays: (load, answers, _connections, { read, loses }) =>
    total(answers) <= load.requests * loses && (size === '1k' || read >= 0.9 * load.requests * bodySizes[size]),
});

/** All of it is written to files, some of it perhaps a little later. */
const diskMiss = (size: '1k' | '100k'): LoadRow => ({
  ...plain,
  title: `Misses, ${sizeNames[size]}, stored on disk`,
  storage: 'disk',
  bodyBytes: bodySizes[size],
  path: (turn, number = 'n') => `'/${size}/${turn}/' .. ${number}`,
  paths: null,
  stores: true,
  isWhatItSays: (load, answers, connections, { written }) =>
    oneEach(load, answers, '200', connections) && written >= (load.requests * bodySizes[size]) / 2,
});

const sizeNames = { '1k': '1 kB', '100k': '100 kB' } as const;

export const rows: Readonly<Record<LoadRowName, LoadRow>> = {
  'hit-1k': hit('Hits, 1 kB', '1k'),
  'hit-100k': hit('Hits, 100 kB', '100k'),
  'hit-1m': hit('Hits, 1 MB', '1m'),
  'not-modified': { ...hit('Conditional requests answered with 304', '1k'), status: 304, conditional: true },
  miss: {
    ...plain,
    title: 'Misses, 1 kB, stored',
    bodyBytes: bodySizes['1k'],
    path: (turn) => `'/1k/${turn}/' .. n`,
    paths: null,
    isWhatItSays: (load, answers, connections) => oneEach(load, answers, '200', connections),
  },
  revalidate: {
    ...plain,
    title: 'Revalidations, 1 kB, one 304 each',
    bodyBytes: bodySizes['1k'],
    path: () => `'/stale/' .. n`,
    // More than there are connections, so that hardly two wait for the same answer.
    paths: numbered('/stale/', 256),
    isWhatItSays: (load, answers, connections) => oneEach(load, answers, '304', connections),
  },
  tunnel: {
    ...plain,
    title: 'Tunnels (CONNECT), bytes to the client',
    unit: 'MB',
    bodyBytes: bodySizes['1m'],
    path: () => `'/1m/' .. n`,
    paths: numbered('/1m/', 64),
    tunnelled: true,
    isWhatItSays: (load, answers, connections) => oneEach(load, answers, '200', connections),
  },
  'disk-hit-1k': diskHit('1k', 20_000),
  'disk-hit-100k': diskHit('100k', 5000),
  'disk-miss-1k': diskMiss('1k'),
  'disk-miss-100k': diskMiss('100k'),
};
