import { dirname } from 'node:path';
import { addNamespace, NotAdded, wantedNamespace, type WantedNamespace } from './added-namespace.js';
import { isSystemError, openConfig, type OpenedConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { operatorAddress } from './operator-address.js';
import { CallFailed, NobodyListens, OperatorClient } from './operator-client.js';
import type { Watch } from './store.js';
import { showTakingOver } from './taking-over.js';

export interface ReplicateOptions {
  readonly config?: string;
  /** URL of the primary, or of another node that knows it. */
  readonly from?: string;
  /** File with the token of the primary. */
  readonly tokenFile?: string;
  /** Name of the root key, as its owner tells it. */
  readonly rootKey?: string;
}

/**
 * `willis replicate`: adds a namespace to the configuration file, has the node that runs by it take that up, and shows how it
 * takes the namespace over. `ok`: it is in step, or no node runs; `failure`: it is not yet, and goes on in the node, or
 * nothing was done; `configuration`: the configuration cannot stand, as it was or with the namespace.
 */
export async function replicate(
  namespace: string,
  options: ReplicateOptions,
  console: Console,
  watch: Watch,
): Promise<ExitCode> {
  const opened = openConfig(options.config, console);
  if (opened === null) return exitCodes.configuration;
  try {
    if (options.config === undefined && dirname(opened.path) !== console.directory) {
      throw new NotAdded(`${opened.path} came with the program; say which configuration is yours: --config FILE`);
    }
    const wanted = wantedNamespace(namespace, options, console.directory);
    return await replicateBy(opened, wanted, console, watch);
  } catch (error) {
    if (!(error instanceof CallFailed) && !(error instanceof NotAdded) && !isSystemError(error)) throw error;
    console.err(`willis: ${error.message}\n`);
    return exitCodes.failure;
  }
}

async function replicateBy(
  opened: OpenedConfig,
  wanted: WantedNamespace,
  console: Console,
  watch: Watch,
): Promise<ExitCode> {
  const { name, config } = opened;
  const takeAway = addNamespace(opened, wanted);
  console.err(`${wanted.url} ${takeAway === null ? 'stands already in' : 'is added to'} ${name}.\n`);
  const { admin } = config.listen;
  if (admin === null || admin.address.port === 0) {
    console.err(
      'A node that runs by it takes it up by itself; without a fixed listen.admin it cannot be asked how far.\n',
    );
    return exitCodes.ok;
  }
  const address = operatorAddress({ config: name }, console);
  if (typeof address === 'number') return address;
  const client = new OperatorClient(address);
  try {
    await client.post('/api/reload', {});
  } catch (error) {
    if (error instanceof NobodyListens) {
      console.err(`No node runs by it. Start one: willis run --config ${name}\n`);
      return exitCodes.ok;
    }
    if (!(error instanceof CallFailed) || error.code !== 'config-refused') throw error;
    takeAway?.();
    console.err(`willis: ${error.message}\n`);
    if (takeAway !== null) console.err(`${name} is as it was.\n`);
    return exitCodes.configuration;
  }
  return showTakingOver(client, wanted.url, { configName: name, console, watch });
}
