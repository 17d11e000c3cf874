import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchOnce } from './fetch-once.js';
import { withSystemPrograms } from './peers/installed.js';
import { processTree, readProcess, type Process } from './process-tree.js';

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
   * Starts the server and waits until it answers `uri` with 200; null for one that does not speak HTTP.
   * @throws Error with what the server printed when it ends or does not answer within 15 s.
   */
  static async start(command: ServerCommand, uri: string | null, signal: AbortSignal): Promise<ServerProcess> {
    const server = new ServerProcess(command);
    try {
      if (uri !== null) await server.#answers(uri, signal);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Its process and all below it, at this moment. */
  processes(): Process[] {
    return this.#child.pid === undefined ? [] : processTree(this.#child.pid);
  }

  /** Ends it with everything that it started, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    const before = this.processes();
    this.#child.kill('SIGTERM');
    for (let attempt = 0; attempt < 60 && before.some(isAlive); attempt++) await delay(50);
    for (const one of before) {
      if (isAlive(one)) process.kill(one.pid, 'SIGKILL');
    }
    while (before.some(isAlive)) await delay(10);
  }

  async #answers(uri: string, signal: AbortSignal): Promise<void> {
    let last = '';
    for (let attempt = 0; attempt < 300; attempt++) {
      if (this.#child.exitCode !== null || this.#child.pid === undefined) break;
      try {
        const { status, body } = await fetchOnce(uri, signal);
        if (status === 200) return;
        last = `${status} ${body.toString()}`;
      } catch (error) {
        signal.throwIfAborted();
        last = String(error);
      }
      await delay(50, undefined, { signal });
    }
    const said = readFileSync(this.#output, 'utf8').trim();
    throw new Error(`${this.#child.spawnargs.join(' ')} does not serve ${uri}: ${last}\n${said}`);
  }
}

/** A port of this address that was free a moment ago. */
export async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Whether this very process still runs, and not another one that has got its number. */
const isAlive = ({ pid, startTime }: Process): boolean => readProcess(pid)?.startTime === startTime;
