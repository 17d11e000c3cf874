import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { skipWithout } from '../support/skip-without.js';

export interface RunOptions {
  readonly cwd?: string;
  /** Beside the environment of the tests, from which every proxy setting is taken out. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Buffer;
  /** Ends the program with SIGTERM. */
  readonly signal?: AbortSignal;
}

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Skips the test where a program is not installed. */
export function needPrograms(test: Mocha.Context, ...names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length > 0) skipWithout(test, missing.join(', '));
}

/** Runs a program to its end. */
export function runProgram(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { cwd, env = {}, input, signal } = options;
    const child = spawn(name, args, { cwd, env: { ...plainEnvironment(), ...env }, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    );
    signal?.addEventListener('abort', () => child.kill(), { once: true });
  });
}

/** Runs a program that must succeed. @returns what it printed */
export async function succeed(name: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runProgram(name, args, options);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${stderr}`);
  return stdout.toString();
}

const directories = (process.env['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin');

function isInstalled(name: string): boolean {
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name));
  return { ...Object.fromEntries(entries), PATH: directories.join(':'), LC_ALL: 'C' };
}
