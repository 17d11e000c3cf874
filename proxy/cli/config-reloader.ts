import { ConfigError } from '../../config/config-error.js';
import { filesNamedBy } from '../../config/files.js';
import type { Config } from '../../config/schema.js';
import type { Logger } from '../base/logger.js';
import type { Reload } from '../admin/operator-control.js';
import { RefusedConfiguration } from '../roles/refused-configuration.js';
import type { Node } from '../roles/running-node.js';
import { isConfigFault, readConfig, type OpenedConfig } from './config-file.js';
import type { Console } from './console.js';
import { placed } from './named-files.js';

/** What makes a node look at its configuration again. */
export type Trigger = 'signal' | 'file' | 'operator';

export interface ConfigReloaderOptions {
  readonly console: Console;
  readonly logger: Logger;
  /** What the node was started with. */
  readonly opened: OpenedConfig;
}

/** Reads the configuration of a running node anew and has it put in force; says in the log what came of it. */
export class ConfigReloader {
  /** The node, while it runs. */
  node: Node | null = null;
  readonly #options: ConfigReloaderOptions;
  /** The one in force, and the last one that was read. */
  #configs: { readonly inForce: Config; readonly latest: Config };
  #lastFault = '';

  constructor(options: ConfigReloaderOptions) {
    this.#options = options;
    this.#configs = { inForce: options.opened.config, latest: options.opened.config };
  }

  /** The files that have a say: that of the configuration, and those that it names for reading, or would name. */
  get files(): string[] {
    const { inForce, latest } = this.#configs;
    const named = [...filesNamedBy(inForce), ...filesNamedBy(latest)].filter(({ use }) => use !== 'append');
    return [...new Set([this.#options.opened.path, ...named.map(({ path }) => path)])];
  }

  /** @throws Error whose message says in lines what is wrong and where; then the old configuration is in force */
  async reload(trigger: Trigger): Promise<Reload> {
    try {
      const reload = await this.#reload();
      this.#lastFault = '';
      this.#tell(reload, trigger);
      return reload;
    } catch (error) {
      this.#tellFault(error, trigger);
      throw error;
    }
  }

  async #reload(): Promise<Reload> {
    if (this.node === null) throw new Error('the node does not run');
    const read = this.#read(this.node);
    this.#configs = { ...this.#configs, latest: read.config };
    try {
      const reload = await this.node.reload(read.config);
      this.#configs = { inForce: read.config, latest: read.config };
      return reload;
    } catch (error) {
      if (!(error instanceof RefusedConfiguration)) throw error;
      throw new ConfigError(read.name, placed(error.problems, read));
    }
  }

  /** @throws ConfigError */
  #read(node: Node): ReturnType<typeof readConfig> {
    const { console, opened } = this.#options;
    try {
      return readConfig(opened.path, console);
    } catch (error) {
      node.noteUnreadable();
      throw error;
    }
  }

  #tell({ changes }: Reload, trigger: Trigger): void {
    const { logger, opened } = this.#options;
    const changed = changes.map(({ key }) => key);
    if (changed.length > 0)
      logger.info({ code: 'config-reloaded', changed, config: opened.name, trigger }, 'configuration reloaded');
    else if (trigger !== 'file')
      logger.info(
        { code: 'config-unchanged', config: opened.name, trigger },
        'configuration read again; it is the same',
      );
  }

  /** What is wrong is told once, however often a file that has not changed is looked at. */
  #tellFault(error: unknown, trigger: Trigger): void {
    const { logger, opened } = this.#options;
    const text = error instanceof Error ? error.message : String(error);
    if (trigger === 'file' && text === this.#lastFault) return;
    this.#lastFault = text;
    const fault = isConfigFault(error) ? { problems: text.split('\n') } : { error };
    logger.error(
      { code: 'config-refused', ...fault, config: opened.name, trigger },
      'configuration not reloaded; the old one stays in force',
    );
  }
}
