import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Answers other than 2xx and 3xx, connections refused, broken or silent. */
  readonly failures: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

export interface LoadPlan {
  readonly port: number;
  /** An expression of Lua for the path of request number `n`, which counts from 0. */
  readonly path: string;
  /** The number of different paths, which then come round by round; null if no two are equal. */
  readonly paths: number | null;
  readonly seconds: number;
  readonly connections: number;
  readonly directory: string;
  /** A command that starts the load generator, to measure something meanwhile. */
  readonly under: readonly string[];
}

/**
 * A closed loop of GETs by wrk: each connection asks as soon as it has its answer.
 * @throws Error when wrk fails, or has not ended 15 s after its time.
 */
export async function runLoad(plan: LoadPlan, signal: AbortSignal): Promise<Load> {
  const script = join(plan.directory, 'load.lua');
  writeFileSync(script, lua(plan.path, plan.paths));
  const wrk = ['wrk', '-t1', `-c${plan.connections}`, `-d${plan.seconds}s`, '--timeout', '5s', '-s', script];
  const [file = 'wrk', ...args]: readonly string[] = [...plan.under, ...wrk, `http://127.0.0.1:${plan.port}/`];
  const limit = AbortSignal.any([signal, AbortSignal.timeout((plan.seconds + 15) * 1000)]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], signal: limit, detached: true });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  const line = /^measured (\{.*\})$/m.exec(output)?.[1];
  if (code !== 0 || line === undefined) throw new Error(`wrk failed with ${code ?? 'a signal'}: ${output}`);
  return JSON.parse(line) as Load;
}

function lua(path: string, paths: number | null): string {
  const request =
    paths === null
      ? `local n = 0
local head, tail
function init() head, tail = wrk.format('GET', '/@'):match('^(.-)/@(.*)$') end
function request()
  local path = ${path}
  n = n + 1
  return head .. path .. tail
end`
      : `local count, requests = 0, {}
function init()
  for n = 0, ${paths - 1} do requests[n] = wrk.format('GET', ${path}) end
end
function request()
  count = (count + 1) % ${paths}
  return requests[count]
end`;
  return `${request}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'measured {"requests":%d,"seconds":%.6f,"bytes":%.0f,"failures":%d,"p50Microseconds":%.0f,"p99Microseconds":%.0f}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;
}
