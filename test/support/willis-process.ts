import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { TempDir } from './temp-dir.js';
import { root, willisProgram } from './willis-program.js';
import type { LoggedEvent, Sections } from './willis.js';

const run = promisify(execFile);

/** Starts `willis run` with a configuration file of its own, which goes when the process is stopped. */
export async function startProcess(config: Sections): Promise<WillisProcess> {
  const directory = await TempDir.create();
  const file = await directory.write('proxy.config.yaml', JSON.stringify(config));
  return WillisProcess.start(file, { directory });
}

export interface Launch {
  /** Is removed when the process is stopped. */
  readonly directory?: TempDir;
  /** Whose process it is to be; the super-user's only to choose. */
  readonly uid?: number;
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
  readonly #exited: Promise<void>;
  readonly #owner: { readonly uid?: number; readonly gid?: number };
  #listening: readonly Listening[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;
  #seen = 0;

  private constructor(file: string, { directory, uid }: Launch) {
    this.#directory = directory ?? null;
    const [program, ...args] = [...willisProgram, 'run', '--config', file];
    this.#owner = uid === undefined ? {} : { uid, gid: uid };
    this.#child = spawn(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'], ...this.#owner });
    this.#exited = once(this.#child, 'exit').then(() => undefined);
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
   * Runs it with that file, until it listens.
   * @throws Error if it ends instead
   */
  static async start(file: string, launch: Launch = {}): Promise<WillisProcess> {
    const started = WillisProcess.begin(file, launch);
    await started.listening();
    return started;
  }

  /** Runs it with that file, whatever comes of it. */
  static begin(file: string, launch: Launch = {}): WillisProcess {
    return new WillisProcess(file, launch);
  }

  /** Fulfilled when it listens. @throws Error if it ends instead */
  async listening(): Promise<void> {
    this.#listening = (await this.event('started'))['listening'] as readonly Listening[];
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

  /** Null while it runs, and where a signal has ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Fulfilled when it has ended. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** From now on it can have so many files and sockets more than it has, at most; null: as many as before. */
  async allowDescriptors(more: number | null): Promise<void> {
    const pid = String(this.#child.pid);
    const most = more === null ? '' : String((await readdir(`/proc/${pid}/fd`)).length + more);
    const prlimit = ['--pid', pid, '--noheadings', '--raw', '--output=HARD'];
    const hard = (await run('prlimit', [...prlimit, '--nofile'], this.#owner)).stdout.trim();
    await run('prlimit', ['--pid', pid, `--nofile=${most === '' ? hard : most}:${hard}`], this.#owner);
  }

  /** Ends it without a warning. What it had stays. Idempotent. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Ends it in order. Idempotent. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
    await this.#directory?.remove();
  }
}
