import { fileURLToPath } from 'node:url';
import { runGenerator, type Load, type LoadPlan } from './load.js';

export interface PacedPlan extends Omit<LoadPlan, 'directory'> {
  /** What every answer must be. */
  readonly status: 200 | 304;
  readonly bodyBytes: number;
  /** `host:port` to which each connection opens a tunnel first; null to ask the server itself. */
  readonly authority: string | null;
  /** Requests a second, whatever becomes of them; null for each connection to ask as soon as it has its answer. */
  readonly rate: number | null;
  /** Requests in all; null for as many as fit into the time. */
  readonly requests: number | null;
}

const generator = fileURLToPath(new URL('paced-load.lua', import.meta.url));

/**
 * GETs by a generator of our own, because wrk can neither keep a rate nor open a tunnel. With a rate, the time of a request
 * counts from the moment it was due: a server that stalls is charged for all that it keeps waiting.
 * @throws Error when an answer is not what it must be, or does not come.
 */
export function runPacedLoad(plan: PacedPlan, signal: AbortSignal): Promise<Load> {
  return runGenerator([...plan.under, 'luajit', '-e', settings(plan), generator], plan.seconds, signal);
}

function settings(plan: PacedPlan): string {
  const { port, connections, seconds, rate, requests, authority, status, bodyBytes, fields, path, paths } = plan;
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\\r\\n`);
  const number = paths === null ? 'n' : `n % ${paths}`;
  return `port, connections, seconds, status, body = ${[port, connections, seconds, status, bodyBytes].join(', ')}
rate, total, authority = ${rate ?? 'nil'}, ${requests ?? 'nil'}, ${authority === null ? 'nil' : `'${authority}'`}
host = '${authority ?? `127.0.0.1:${port}`}'
fields = '${lines.join('')}'
function path(n) n = ${number}; return ${path} end`;
}
