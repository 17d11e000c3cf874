import { parseArgs } from 'node:util';
import type { Peer } from './peers/peer.js';
import { peers } from './peers/turns.js';
import { rows, type LoadRowName, type RowName } from './rows.js';

export interface Options {
  readonly peers: readonly Peer[];
  readonly rows: readonly RowName[];
  /** Length of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  /** Connections that the load generator keeps busy. */
  readonly connections: number;
  /** Whether docs/performance.md gets the results. */
  readonly write: boolean;
}

const rowNames: readonly RowName[] = [...(Object.keys(rows) as LoadRowName[]), 'memory', 'idle'];

export const usage = `npm run bench -- [options]
  --peers ${peers.map(({ name }) => name).join(',')}
  --rows ${rowNames.join(',')}
  --seconds 2        of one measurement
  --rounds 3         measurements of each peer in each row, at full load and again at half load
  --connections 32   kept busy by the load generator
  --write            put the results into docs/performance.md; a run of all peers and rows does so unasked
  --no-write`;

/** @throws Error when an option or a value is not known. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      peers: { type: 'string' },
      rows: { type: 'string' },
      seconds: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '32' },
      write: { type: 'boolean' },
    },
  });
  const peerNames = chosen(
    'peer',
    values.peers,
    peers.map(({ name }) => name),
  );
  return {
    peers: peers.filter(({ name }) => peerNames.includes(name)),
    rows: chosen('row', values.rows, rowNames),
    seconds: within('seconds', values.seconds, 1, 60),
    rounds: within('rounds', values.rounds, 1, 50),
    connections: within('connections', values.connections, 1, 500),
    write: values.write ?? (values.peers === undefined && values.rows === undefined),
  };
}

function chosen<Name extends string>(kind: string, list: string | undefined, known: readonly Name[]): Name[] {
  if (list === undefined) return [...known];
  const wanted = list.split(',');
  const unknown = wanted.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`no ${kind} is called ${unknown}; there are ${known.join(', ')}`);
  return known.filter((name) => wanted.includes(name));
}

function within(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new Error(`--${name} wants a whole number from ${least} to ${most}, not ${text}`);
}
