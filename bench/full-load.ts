import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runGenerator, type Load, type LoadPlan } from './load.js';

/**
 * A closed loop of GETs by wrk: each connection asks as soon as it has its answer.
 * @throws Error when wrk fails, or has not ended 15 s after its time.
 */
export function runFullLoad(plan: LoadPlan, signal: AbortSignal): Promise<Load> {
  const script = join(plan.directory, 'load.lua');
  writeFileSync(script, lua(plan));
  const wrk = ['wrk', '-t1', `-c${plan.connections}`, `-d${plan.seconds}s`, '--timeout', '5s', '-s', script];
  return runGenerator([...plan.under, ...wrk, `http://127.0.0.1:${plan.port}/`], plan.seconds, signal);
}

const lua = ({ path, paths, fields }: LoadPlan): string => `${Object.entries(fields)
  .map(([name, value]) => `wrk.headers['${name}'] = '${value}'\n`)
  .join('')}${paths === null ? differentRequests(path) : repeatedRequests(path, paths)}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'measured {"requests":%d,"seconds":%.6f,"bytes":%.0f,"failures":%d,"p50Microseconds":%.0f,"p99Microseconds":%.0f}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;

const differentRequests = (path: string): string => `local n = 0
local head, tail
function init() head, tail = wrk.format('GET', '/@'):match('^(.-)/@(.*)$') end
function request()
  local path = ${path}
  n = n + 1
  return head .. path .. tail
end`;

/** Begins anywhere: what the last load asked for last is not what this one asks for. */
const repeatedRequests = (path: string, paths: number): string => `math.randomseed(os.time())
local count, requests = math.random(0, ${paths - 1}), {}
function init()
  for n = 0, ${paths - 1} do requests[n] = wrk.format('GET', ${path}) end
end
function request()
  count = (count + 1) % ${paths}
  return requests[count]
end`;
