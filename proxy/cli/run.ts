import { ConfigError } from '../../config/config-error.js';
import type { Config } from '../../config/schema.js';
import { systemClock } from '../base/clock.js';
import { createLogger, type Logger, type RootLogger } from '../base/logger.js';
import type { NodeOptions } from '../roles/build-node.js';
import type { Reload } from '../admin/operator-control.js';
import type { Node } from '../roles/running-node.js';
import { openConfig, type OpenedConfig } from './config-file.js';
import { ConfigReloader, type Trigger } from './config-reloader.js';
import { ConfigWatcher } from './config-watcher.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { greeting } from './greeting.js';
import { problemsOfFiles } from './named-files.js';
import { endOnCrash, ProcessSignals, type ProcessEvents } from './process-signals.js';
import { startFailure } from './start-failure.js';

export interface RunOptions {
  readonly file: string | undefined;
  readonly version: string;
  readonly console: Console;
  readonly events: ProcessEvents;
  readonly build: (config: Config, options: NodeOptions) => Node;
  /** By default one of the configured level that writes to standard error. */
  readonly logger?: RootLogger;
}

/**
 * `willis run`: starts a node and keeps it until SIGTERM or SIGINT, then lets requests under way finish; a second signal
 * ends the process at once. SIGHUP, or a change of its file or of a file that this names, puts the configuration in force
 * anew; SIGUSR2 opens the log files anew.
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
  const logger = options.logger ?? createLogger(opened.config.log);
  const undo = endOnCrash(options.events, logger);
  try {
    return await serve(opened, options, logger);
  } finally {
    undo();
    logger.flush();
  }
}

async function serve(opened: OpenedConfig, options: RunOptions, logger: RootLogger): Promise<ExitCode> {
  const signals = new ProcessSignals(options.events, logger);
  const reloader = new ConfigReloader({ console: options.console, logger, opened });
  // what comes of it stands in the log; the operator side is told as well
  const watcher = new ConfigWatcher(() => reread('file').then(ignore, ignore));
  const reread = (trigger: Trigger): Promise<Reload> =>
    reloader.reload(trigger).finally(() => watcher.watch(reloader.files));
  let node: Node | null = null;
  signals.on('SIGHUP', () => {
    // one that starts has just read it
    if (reloader.node !== null) void reread('signal').catch(ignore);
  });
  signals.on('SIGUSR2', () => void reopenLogs(node, logger));
  try {
    node = options.build(opened.config, { logger, clock: systemClock, reread: () => reread('operator') });
    await node.start();
    reloader.node = node;
  } catch (error) {
    options.console.err(`${startFailure(error, opened.config, opened.name)}\n`);
    logger.debug({ code: 'not-started', error }, 'not started');
    await node
      ?.stop()
      .catch((reason: unknown) => logger.error({ code: 'stop-failed', error: reason }, 'stopping failed'));
    watcher.close();
    signals.forget();
    return exitCodes.failure;
  }
  options.console.out(greeting(opened.config, node.listening, options.version));
  logger.info({ code: 'started', config: opened.name, listening: node.listening }, 'started');
  watcher.watch(reloader.files);
  const signal = await signals.end;
  reloader.node = null;
  watcher.close();
  return stop(node, signal, { signals, logger });
}

const ignore = (): void => undefined;

async function reopenLogs(node: Node | null, logger: Logger): Promise<void> {
  if (node === null) return;
  try {
    await node.reopenLogs();
    logger.info({ code: 'logs-reopened' }, 'log files opened anew');
  } catch (error) {
    logger.error({ code: 'logs-not-reopened', error }, 'log files not opened anew; the old ones stay in use');
  }
}

async function stop(
  node: Node,
  signal: string,
  { signals, logger }: { signals: ProcessSignals; logger: Logger },
): Promise<ExitCode> {
  logger.info({ code: 'stopping', signal }, 'stopping; requests under way may finish, until a second signal');
  try {
    await node.stop();
    logger.info({ code: 'stopped' }, 'stopped');
    return exitCodes.ok;
  } catch (error) {
    logger.error({ code: 'stop-failed', error }, 'stopping failed');
    return exitCodes.failure;
  } finally {
    signals.forget();
  }
}
