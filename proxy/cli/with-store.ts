import { openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { operatorAddress, type OperatorOptions } from './operator-address.js';
import { CallFailed, NobodyListens, OperatorClient } from './operator-client.js';
import { RunningStore } from './running-store.js';
import { openStopped } from './stopped-store.js';
import type { StoreSide } from './store-side.js';

/** Tells a command whose store is meant: that of a node, or of a directory that no node uses. */
export interface StoreOptions extends OperatorOptions {
  readonly directory?: string | undefined;
}

/**
 * Runs a command against a store: by the node that runs, by the directory where none does. What goes wrong is printed, and
 * ends it with `failed`, or as a configuration that cannot stand does.
 */
export async function withStore(
  options: StoreOptions,
  console: Console,
  failed: ExitCode,
  action: (store: StoreSide) => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    const store = await storeSide(options, console);
    if (typeof store === 'number') return store === exitCodes.failure ? failed : store;
    return await action(store).finally(() => store.close());
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    console.err(`willis: ${error.message}\n`);
    return failed;
  }
}

async function storeSide(options: StoreOptions, console: Console): Promise<StoreSide | ExitCode> {
  const { admin, directory } = options;
  if (directory !== undefined) {
    if (admin !== undefined) throw new CallFailed('--directory and --admin cannot go together');
    return openStopped({ directory, config: null }, console);
  }
  if (admin !== undefined) return running(options, console);
  const opened = openConfig(options.config, console);
  if (opened === null) return exitCodes.configuration;
  const stopped = { directory: opened.config.node.data, config: opened };
  if (opened.config.listen.admin === null) return openStopped(stopped, console);
  const found = running(options, console);
  if (typeof found === 'number') return found;
  try {
    await found.report({ largest: false });
    return found;
  } catch (error) {
    if (!(error instanceof NobodyListens)) throw error;
    return openStopped(stopped, console);
  }
}

function running(options: OperatorOptions, console: Console): StoreSide | ExitCode {
  const address = operatorAddress(options, console);
  return typeof address === 'number' ? address : new RunningStore(new OperatorClient(address));
}
