import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { fetchOnce } from './fetch-once.js';
import { withSystemPrograms } from './peers/installed.js';
import { processTree } from './process-tree.js';

export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly core: number;
  /** Where its standard streams are written. */
  readonly directory: string;
}

/** A server bound to one core, and all processes that it starts. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #output: string;

  private constructor(command: ServerCommand) {
    this.#output = join(command.directory, 'output.log');
    const output = openSync(this.#output, 'a');
    // A process group of its own: an interrupt from the terminal goes to this program, which then ends its servers.
    this.#child = spawn('taskset', ['-c', String(command.core), command.file, ...command.args], {
      stdio: ['ignore', output, output],
      env: withSystemPrograms(),
      detached: true,
    });
    this.#child.on('error', () => undefined);
    closeSync(output);
  }

  /**
   * Starts the server and waits until it answers `uri` with 200.
   * @throws Error with what the server printed when it ends or does not answer within 15 s.
   */
  static async start(command: ServerCommand, uri: string, signal: AbortSignal): Promise<ServerProcess> {
    const server = new ServerProcess(command);
    try {
      await server.#answers(uri, signal);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Its process and all below it, at this moment. */
  get pids(): number[] {
    return this.#child.pid === undefined ? [] : processTree(this.#child.pid);
  }

  /** Ends it with everything that it started, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const all = this.pids;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await Promise.race([ended, delay(3000, undefined, { ref: false })]);
    }
    for (const one of all) killIfAlive(one, pid);
  }

  async #answers(uri: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt++) {
      signal.throwIfAborted();
      if (this.#child.exitCode !== null || this.#child.pid === undefined) break;
      const answer = await fetchOnce(uri, signal).catch(() => null);
      if (answer?.status === 200) return;
      await delay(50, undefined, { signal });
    }
    const said = readFileSync(this.#output, 'utf8').trim();
    throw new Error(`${this.#child.spawnargs.join(' ')} does not serve ${uri}: ${said === '' ? 'no output' : said}`);
  }
}

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Ends what the server left behind. A number that has passed to another process group is not touched. */
function killIfAlive(pid: number, group: number): void {
  if (!processTree(pid).includes(pid)) return;
  const fields = readStat(pid);
  if (fields === null || (Number(fields[2]) !== group && pid !== group)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
}

function readStat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
