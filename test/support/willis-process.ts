import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TempDir } from './temp-dir.js';
import type { LoggedEvent, Sections } from './willis.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Starts `willis run` with a configuration file of its own, which goes when the process is stopped. */
export async function startProcess(config: Sections): Promise<WillisProcess> {
  const directory = await TempDir.create();
  const file = await directory.write('proxy.config.yaml', JSON.stringify(config));
  return WillisProcess.start(file, directory);
}

interface Listening {
  readonly name: string;
  readonly url: string;
}

/** `willis run` as a process of its own, with what it logs; its memory can be watched. */
export class WillisProcess {
  readonly events: LoggedEvent[] = [];
  readonly #directory: TempDir | null;
  readonly #child: ChildProcess;
  #listening: readonly Listening[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;
  #seen = 0;

  private constructor(file: string, directory: TempDir | null) {
    this.#directory = directory;
    const args = ['--import=tsx', join(root, 'proxy/main.ts'), 'run', '--config', file];
    this.#child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    const lines = createInterface({ input: this.#child.stderr as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      // what is wrong with a configuration is told in plain lines
      this.events.push(line.startsWith('{') ? (JSON.parse(line) as LoggedEvent) : { msg: line });
      this.#wake();
    });
    lines.on('close', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /**
   * Runs it with that file, until it listens; `directory` is removed when it is stopped.
   * @throws Error if it ends instead
   */
  static async start(file: string, directory: TempDir | null = null): Promise<WillisProcess> {
    const started = new WillisProcess(file, directory);
    started.#listening = (await started.event('started'))['listening'] as readonly Listening[];
    return started;
  }

  /**
   * The next event whose message begins so, from where the last one was found on.
   * @throws Error if the process ends without one
   */
  async event(message: string): Promise<LoggedEvent> {
    for (;;) {
      const index = this.events.findIndex(({ msg }, at) => at >= this.#seen && String(msg).startsWith(message));
      if (index >= 0) {
        this.#seen = index + 1;
        return this.events[index] as LoggedEvent;
      }
      if (this.#isOver) throw new Error(`'${message}' was not logged: ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  port(side: string): number {
    return Number(new URL(this.#listening.find(({ name }) => name === side)?.url ?? 'http://none').port);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** What of the machine's memory it has, in MiB. */
  async memory(): Promise<number> {
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(this.#child.pid)]);
    return Number(stdout) / 1024;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    await this.#directory?.remove();
  }
}
