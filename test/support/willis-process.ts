import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LoggedEvent, Sections } from './willis.js';
import { TempDir } from './temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

interface Listening {
  readonly name: string;
  readonly url: string;
}

/** Starts `willis run` as a process of its own, whose memory can be watched. */
export async function startProcess(config: Sections): Promise<WillisProcess> {
  const directory = await TempDir.create();
  const file = await directory.write('proxy.config.yaml', JSON.stringify(config));
  const process = new WillisProcess(file, directory);
  await process.started();
  return process;
}

export class WillisProcess {
  readonly events: LoggedEvent[] = [];
  readonly #directory: TempDir;
  readonly #child: ChildProcess;
  #listening: readonly Listening[] = [];

  constructor(file: string, directory: TempDir) {
    this.#directory = directory;
    const args = ['--import=tsx', join(root, 'proxy/main.ts'), 'run', '--config', file];
    this.#child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** @throws Error if it ends instead */
  async started(): Promise<void> {
    const lines = createInterface({ input: this.#child.stderr as NodeJS.ReadableStream });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        // what is wrong with a configuration is told in plain lines
        const event = line.startsWith('{') ? (JSON.parse(line) as LoggedEvent) : { msg: line };
        this.events.push(event);
        if (event['msg'] !== 'started') return;
        this.#listening = event['listening'] as readonly Listening[];
        resolve();
      });
      lines.on('close', () => reject(new Error(`willis did not start: ${JSON.stringify(this.events)}`)));
    });
  }

  port(side: string): number {
    return Number(new URL(this.#listening.find(({ name }) => name === side)?.url ?? 'http://none').port);
  }

  /** What of the machine's memory it has, in MiB. */
  async memory(): Promise<number> {
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(this.#child.pid)]);
    return Number(stdout) / 1024;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    await this.#directory.remove();
  }
}
