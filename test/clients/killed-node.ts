import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { WillisProcess } from '../support/willis-process.js';
import type { Sections } from '../support/willis.js';

/** A node with a store on disk, as a process that is killed and started again. */
export class KilledNode {
  readonly #directory: TempDir;
  readonly #config: Sections;
  #process: WillisProcess;

  private constructor(directory: TempDir, config: Sections, process: WillisProcess) {
    this.#directory = directory;
    this.#config = config;
    this.#process = process;
  }

  static async start(directory: TempDir, sections: Sections = {}): Promise<KilledNode> {
    const config = {
      node: { name: 'willis', data: join(directory.path, 'data') },
      listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: '127.0.0.1:0' },
      access: { destinations: { allow: ['127.0.0.0/8'] } },
      cache: { disk: '256MiB' },
      log: { access: { format: 'json', path: join(directory.path, 'access.log') } },
      ...sections,
    };
    return new KilledNode(directory, config, await run(directory, config));
  }

  get proxy(): string {
    return `http://127.0.0.1:${this.#process.port('proxy')}`;
  }

  get site(): string {
    return `http://127.0.0.1:${this.#process.port('site')}`;
  }

  /**
   * Kills the process without a warning once all that it was asked for is stored, and starts another one in its place, on the
   * same ports, with an empty log.
   */
  async restart(): Promise<void> {
    await until(async () => (await this.#stored()) === new Set((await this.#log()).map(({ uri }) => uri)).size);
    const [proxy, site] = [this.proxy, this.site].map((url) => new URL(url).host);
    await this.#process.kill();
    await this.#directory.write('access.log', '');
    this.#process = await run(this.#directory, { ...this.#config, listen: { proxy, site, admin: null } });
  }

  /** Stops it, and gives the outcomes of the requests since the last start, as its log has them. */
  async outcomes(): Promise<string[]> {
    await this.#process.stop();
    return (await this.#log()).map(({ outcome }) => outcome);
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#process.stop();
  }

  async #log(): Promise<Logged[]> {
    const log = await readFile(join(this.#directory.path, 'access.log'), 'utf8');
    return log.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Logged);
  }

  /** How many responses are on disk. */
  async #stored(): Promise<number> {
    const metrics = await (await fetch(`http://127.0.0.1:${this.#process.port('admin')}/metrics`)).text();
    return Number(/^willis_store_responses\{store="disk"\} (\d+)$/m.exec(metrics)?.[1]);
  }
}

interface Logged {
  readonly uri: string;
  readonly outcome: string;
}

const run = async (directory: TempDir, config: Sections): Promise<WillisProcess> =>
  WillisProcess.start(await directory.write('proxy.config.yaml', JSON.stringify(config)));
