import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { within } from './within.js';

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
  /** Where others reach it. */
  readonly url: string;
  /** Where it listens, if something stands before it: `127.0.0.1:12345`. */
  readonly behind?: string;
  /** `proxy` if it is the forward proxy that is reached at its URL. */
  readonly side?: 'site' | 'proxy';
  readonly admin: string;
  /** Its configuration but for what all nodes have in common. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A node of the demonstration: a process of `willis run` with a directory of its own. It ends with this process. */
export class DemoNode {
  readonly name: string;
  readonly url: string;
  readonly admin: string;
  readonly directory: string;
  readonly #options: DemoNodeOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(options: DemoNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.url = options.url;
    this.admin = options.admin;
    this.directory = join(options.directory, options.name);
  }

  static async start(options: DemoNodeOptions): Promise<DemoNode> {
    const node = new DemoNode(options);
    await mkdir(node.directory, { recursive: true });
    await writeFile(node.configFile, node.#configuration());
    await node.begin();
    return node;
  }

  get configFile(): string {
    return join(this.directory, 'proxy.config.yaml');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Fulfilled when the process is gone. */
  get exited(): Promise<unknown> {
    return this.#exited;
  }

  /** Runs it; anew, with what it has in its directory, if it has ended. */
  async begin(): Promise<void> {
    const log = await open(join(this.directory, 'willis.log'), 'a');
    try {
      this.#child = fork(program, ['run', '--config', this.configFile], {
        execArgv: [...programArgs, '--import', fileURLToPath(new URL('with-parent.mjs', import.meta.url))],
        env: { ...process.env, WILLIS_DEMO_DIRECTORY: this.directory },
        stdio: ['ignore', log.fd, log.fd, 'ipc'],
        // Ctrl-C at a terminal is for the demonstration, which ends its nodes itself
        detached: true,
      });
      this.#exited = once(this.#child, 'exit');
    } finally {
      await log.close();
    }
  }

  /** Null while it does not answer. */
  async report(signal: AbortSignal): Promise<NodeReport | null> {
    try {
      const [report] = await within(askPatience, signal, async (limit) => {
        const answer = await fetch(`${this.admin}/api/namespaces`, { signal: limit });
        return (await answer.json()) as readonly NodeReport[];
      });
      return report ?? null;
    } catch {
      signal.throwIfAborted();
      return null;
    }
  }

  /** Whether it takes requests. */
  async isReady(signal: AbortSignal): Promise<boolean> {
    try {
      return await within(askPatience, signal, async (limit) => {
        const answer = await fetch(`${this.admin}/readyz`, { signal: limit });
        await answer.arrayBuffer();
        return answer.ok;
      });
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /** The end of what it has logged, for whoever wants to know why it ended. */
  async lastWords(): Promise<string> {
    const log = await readFile(join(this.directory, 'willis.log'), 'utf8').catch(() => '');
    return log.split('\n').slice(-8).join('\n');
  }

  /** Ends it without a warning. What it has written stays. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** Stops it where it is: it is there, and does nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Lets it end, or ends it. Idempotent. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.#child?.kill('SIGTERM');
    this.thaw();
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), stopPatience);
    await this.#exited;
    clearTimeout(timer);
  }

  #configuration(): string {
    const { name, url, behind = new URL(url).host, side = 'site', admin, config } = this.#options;
    return stringify({
      node: { name, data: './var', ...(side === 'site' && { url }) },
      roles: [],
      listen: { proxy: null, site: null, [side]: behind, admin: new URL(admin).host },
      limits: { drainTimeout: '1s' },
      ...config,
    });
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const built = join(root, 'dist/proxy/main.js');

/** As `npm run build` has built it, or else from the sources. */
const program = existsSync(built) ? built : join(root, 'proxy/main.ts');
const programArgs = existsSync(built) ? ['--max-semi-space-size=64'] : ['--import', import.meta.resolve('tsx')];

const stopPatience = 10_000;
const askPatience = 5000;
