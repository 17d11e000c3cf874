import { ConfigError } from '../../config/config-error.js';
import type { Config } from '../../config/schema.js';
import { systemClock, type Clock } from '../base/clock.js';
import { createLogger, type Logger } from '../base/logger.js';
import type { Node } from '../roles/build-node.js';
import { openConfig, type OpenedConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { greeting } from './greeting.js';
import { problemsOfFiles } from './named-files.js';
import { startFailure } from './start-failure.js';

/** The events of a process that steer a running node, and the way out of it. */
export interface ProcessEvents {
  on(event: string, listener: (detail: unknown) => void): unknown;
  off(event: string, listener: (detail: unknown) => void): unknown;
  exit(code: number): void;
}

export interface RunOptions {
  readonly file: string | undefined;
  readonly version: string;
  readonly console: Console;
  readonly events: ProcessEvents;
  readonly build: (config: Config, options: { logger: Logger; clock: Clock }) => Node;
  /** By default one of the configured level that writes to standard error. */
  readonly logger?: Logger;
}

/**
 * `willis run`: starts a node and keeps it until SIGTERM or SIGINT, then lets requests under way finish; a second signal
 * ends the process at once. SIGHUP reads the certificates again.
 */
export async function run(options: RunOptions): Promise<ExitCode> {
  const opened = openConfig(options.file, options.console);
  if (opened === null) return exitCodes.configuration;
  // A log file that cannot be written keeps no request from being answered, so it does not keep a node from starting.
  const problems = problemsOfFiles(opened).filter(({ path }) => path !== 'log.access.path');
  if (problems.length > 0) {
    options.console.err(`${new ConfigError(opened.name, problems).message}\n`);
    return exitCodes.configuration;
  }
  const logger = options.logger ?? createLogger({ level: opened.config.log.level });
  const undo = endOnCrash(options.events, logger);
  try {
    return await serve(opened, options, logger);
  } finally {
    undo();
    logger.flush();
  }
}

async function serve(opened: OpenedConfig, options: RunOptions, logger: Logger): Promise<ExitCode> {
  const signals = new Signals(options.events, logger);
  let node: Node | null = null;
  try {
    node = options.build(opened.config, { logger, clock: systemClock });
    await node.start();
    signals.node = node;
  } catch (error) {
    options.console.err(`${startFailure(error, opened.config, opened.name)}\n`);
    logger.debug({ error }, 'not started');
    await node?.stop().catch((reason: unknown) => logger.error({ error: reason }, 'stopping failed'));
    signals.forget();
    return exitCodes.failure;
  }
  options.console.out(greeting(opened.config, node.listening, options.version));
  logger.info({ config: opened.name, listening: node.listening }, 'started');
  return stopWhenTold(node, signals, logger);
}

async function stopWhenTold(node: Node, signals: Signals, logger: Logger): Promise<ExitCode> {
  const signal = await signals.end;
  logger.info({ signal }, 'stopping; requests under way may finish, until a second signal');
  try {
    await node.stop();
    logger.info({}, 'stopped');
    return exitCodes.ok;
  } catch (error) {
    logger.error({ error }, 'stopping failed');
    return exitCodes.failure;
  } finally {
    signals.forget();
  }
}

/** What SIGTERM, SIGINT and SIGHUP mean, from before a node starts until it has stopped. */
class Signals {
  /** The node that SIGHUP is for, once it has started. */
  node: Node | null = null;
  /** Resolves with the name of the first signal to end. */
  readonly end: Promise<string>;
  readonly #events: ProcessEvents;
  readonly #logger: Logger;
  readonly #listeners: [string, () => void][] = [];
  #ending = false;

  constructor(events: ProcessEvents, logger: Logger) {
    this.#events = events;
    this.#logger = logger;
    this.end = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT']) this.#listen(signal, () => this.#toEnd(signal, resolve));
    });
    this.#listen('SIGHUP', () => void this.#reload());
  }

  forget(): void {
    for (const [signal, listener] of this.#listeners) this.#events.off(signal, listener);
  }

  #listen(signal: string, listener: () => void): void {
    this.#listeners.push([signal, listener]);
    this.#events.on(signal, listener);
  }

  #toEnd(signal: string, resolve: (signal: string) => void): void {
    if (this.#ending) {
      this.#logger.warn({ signal }, 'ended at once');
      this.#logger.flush();
      this.#events.exit(exitCodes.failure);
    }
    this.#ending = true;
    resolve(signal);
  }

  async #reload(): Promise<void> {
    try {
      await this.node?.reloadCertificates();
      if (this.node !== null) this.#logger.info({}, 'certificates read again');
    } catch (error) {
      this.#logger.error({ error }, 'certificates not read again; the old ones stay in use');
    }
  }
}

/** What nobody caught leaves the process in an unknown state: it is logged, and the process ends. */
function endOnCrash(events: ProcessEvents, logger: Logger): () => void {
  const listen = (event: string): (() => void) => {
    const listener = (error: unknown): void => {
      logger.error({ error }, event);
      logger.flush();
      events.exit(exitCodes.failure);
    };
    events.on(event, listener);
    return () => void events.off(event, listener);
  };
  const undo = [listen('uncaughtException'), listen('unhandledRejection')];
  return () => undo.forEach((one) => one());
}
