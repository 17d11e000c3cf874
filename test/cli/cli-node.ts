import { parse, stringify } from 'yaml';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../examples/demo/free-ports.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import type { TempDir } from '../support/temp-dir.js';
import { WillisProcess } from '../support/willis-process.js';
import { runWillis, type EndedWillis } from '../support/willis-program.js';
import type { Sections } from '../support/willis.js';

/** A machine as its operator has it: a configuration file, `willis run` as a process, and the commands that ask it. */
export class CliNode {
  #process: WillisProcess | null = null;

  private constructor(
    private readonly room: TempDir,
    readonly name: string,
    readonly sitePort: number,
  ) {}

  static async make(room: TempDir, name: string, sections: Sections): Promise<CliNode> {
    const [site = 0, admin = 0] = await freePorts(2);
    const node = new CliNode(room, name, site);
    await node.write({
      node: { name, data: `./${name}-data`, url: `http://127.0.0.1:${site}` },
      listen: { proxy: null, site: `127.0.0.1:${site}`, admin: `127.0.0.1:${admin}` },
      roles: [],
      log: { access: { format: 'off' } },
      ...sections,
    });
    return node;
  }

  /** Of its configuration, as seen from the directory that commands are run in. */
  get file(): string {
    return `${this.name}.yaml`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.sitePort}`;
  }

  get process(): WillisProcess {
    if (this.#process === null) throw new Error(`${this.name} does not run`);
    return this.#process;
  }

  async config(): Promise<Sections> {
    return parse(await readFile(join(this.room.path, this.file), 'utf8')) as Sections;
  }

  /** The sections of the file; those that are not named stay. */
  async write(sections: Sections): Promise<void> {
    const before = await this.config().catch(() => ({}));
    await this.room.write(this.file, stringify({ ...before, ...sections }));
  }

  async start(): Promise<void> {
    this.#process = await WillisProcess.start(join(this.room.path, this.file));
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = null;
  }

  /** `willis …words --config FILE`. */
  willis(...words: readonly string[]): Promise<EndedWillis> {
    return runWillis(this.room.path, [...words, '--config', this.file]);
  }

  /** What a visitor gets who is led here by the name of the namespace. */
  async get(path: string, host: string): Promise<RawResponse> {
    const client = await RawClient.connect(this.sitePort);
    client.request('GET', `/${path}`, { Host: host });
    const response = await client.receive('GET');
    client.close();
    return response;
  }
}
