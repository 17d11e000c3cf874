import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a load generator found. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Answers other than 2xx and 3xx, connections refused, broken or silent. */
  readonly failures: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

/** What both load generators ask for, and of whom. */
export interface LoadPlan {
  readonly port: number;
  /** An expression of Lua for the path of request number `n`, which counts from 0. */
  readonly path: string;
  /** The number of different paths, which then come round by round; null if no two are equal. */
  readonly paths: number | null;
  /** Fields that requests have besides `Host`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly connections: number;
  /** A directory for what the generator is told. */
  readonly directory: string;
  /** A command that starts the load generator, to measure something meanwhile. */
  readonly under: readonly string[];
}

/**
 * Runs a load generator that prints `measured` and its findings as JSON on one line.
 * @throws Error when it fails, or has not ended 15 s after its time.
 */
export async function runGenerator(command: readonly string[], seconds: number, signal: AbortSignal): Promise<Load> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, detached: true });
  const limit = setTimeout(() => child.kill('SIGKILL'), (seconds + 15) * 1000);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close').finally(() => clearTimeout(limit))) as [number | null];
  const line = /^measured (\{.*\})$/m.exec(output)?.[1];
  if (code !== 0 || line === undefined) {
    throw new Error(`the load generator failed with ${code ?? 'a signal'}: ${output.trim()}`);
  }
  return JSON.parse(line) as Load;
}
