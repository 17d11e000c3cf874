import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

/** What a node of the demonstration says of the namespace (`GET /api/namespaces`). */
export interface NodeReport {
  readonly state: string;
  /** The URLs of the nodes above it, its parent first; none above the primary. */
  readonly ancestors: readonly string[];
}

export interface DemoNodeOptions {
  readonly name: string;
  /** Above its own. */
  readonly directory: string;
  readonly url: string;
  readonly admin: string;
  /** Its configuration but for what all nodes have in common. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A node of the demonstration: a process of `willis run` with a directory of its own. It ends with this process. */
export class DemoNode {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(
    readonly name: string,
    readonly url: string,
    readonly admin: string,
    readonly directory: string,
    child: ChildProcess,
  ) {
    this.#child = child;
    this.#exited = once(child, 'exit');
  }

  static async start({ name, directory: above, url, admin, config }: DemoNodeOptions): Promise<DemoNode> {
    const directory = join(above, name);
    await mkdir(directory, { recursive: true });
    const common = {
      node: { name, data: './var', url },
      roles: [],
      listen: { proxy: null, site: new URL(url).host, admin: new URL(admin).host },
      limits: { drainTimeout: '1s' },
    };
    const file = join(directory, 'proxy.config.yaml');
    await writeFile(file, stringify({ ...common, ...config }));
    const log = await open(join(directory, 'willis.log'), 'a');
    try {
      const child = fork(program, ['run', '--config', file], {
        execArgv: [...programArgs, '--import', fileURLToPath(new URL('with-parent.mjs', import.meta.url))],
        env: { ...process.env, WILLIS_DEMO_DIRECTORY: directory },
        stdio: ['ignore', log.fd, log.fd, 'ipc'],
        // Ctrl-C at a terminal is for the demonstration, which ends its nodes itself
        detached: true,
      });
      return new DemoNode(name, url, admin, directory, child);
    } finally {
      await log.close();
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Fulfilled when the process is gone. */
  get exited(): Promise<unknown> {
    return this.#exited;
  }

  /** Null while it does not answer. */
  async report(signal: AbortSignal): Promise<NodeReport | null> {
    try {
      const answer = await fetch(`${this.admin}/api/namespaces`, { signal });
      const [report] = (await answer.json()) as readonly NodeReport[];
      return report ?? null;
    } catch {
      signal.throwIfAborted();
      return null;
    }
  }

  /** The end of what it has logged, for whoever wants to know why it ended. */
  async lastWords(): Promise<string> {
    const log = await readFile(join(this.directory, 'willis.log'), 'utf8').catch(() => '');
    return log.split('\n').slice(-8).join('\n');
  }

  /** Lets it end, or ends it. Idempotent. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopPatience);
    await this.#exited;
    clearTimeout(timer);
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const built = join(root, 'dist/proxy/main.js');

/** As `npm run build` has built it, or else from the sources. */
const program = existsSync(built) ? built : join(root, 'proxy/main.ts');
const programArgs = existsSync(built) ? ['--max-semi-space-size=64'] : ['--import', import.meta.resolve('tsx')];

const stopPatience = 10_000;
