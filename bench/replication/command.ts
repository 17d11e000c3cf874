import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withSystemPrograms } from '../peers/installed.js';

export interface CommandTimes {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly output: string;
}

/** Runs a program to its end on one core. @throws Error with what it printed when it fails, unless that status is allowed */
export async function timedCommand(
  command: readonly string[],
  core: number,
  signal: AbortSignal,
  allowed: readonly number[] = [0],
): Promise<CommandTimes> {
  // the shell waits for it, and so knows its CPU time
  const script = 'TIMEFORMAT="took %R %U %S"; time "$@"';
  const args = ['-c', String(core), 'bash', '-c', script, 'bench', ...command];
  const env = { ...withSystemPrograms(), LC_ALL: 'C' };
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'], signal, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  const [, real, user, system] = /^took ([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(output) ?? [];
  if (real === undefined || code === null || !allowed.includes(code)) {
    throw new Error(`${command.join(' ')} failed with ${code ?? 'a signal'}: ${output.slice(-500)}`);
  }
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system), output };
}
