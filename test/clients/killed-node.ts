import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TempDir } from '../support/temp-dir.js';
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
      listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: null },
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

  /** Kills the process without a warning, and starts another one in its place, on the same ports, with an empty log. */
  async restart(): Promise<void> {
    const [proxy, site] = [this.proxy, this.site].map((url) => new URL(url).host);
    await this.#process.kill();
    await this.#directory.write('access.log', '');
    this.#process = await run(this.#directory, { ...this.#config, listen: { proxy, site, admin: null } });
  }

  /** Stops it, and gives the outcomes of the requests since the last start, as its log has them. */
  async outcomes(): Promise<string[]> {
    await this.#process.stop();
    const log = await readFile(join(this.#directory.path, 'access.log'), 'utf8');
    const lines = log.split('\n').slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { readonly outcome: string }).outcome);
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#process.stop();
  }
}

const run = async (directory: TempDir, config: Sections): Promise<WillisProcess> =>
  WillisProcess.start(await directory.write('proxy.config.yaml', JSON.stringify(config)));
