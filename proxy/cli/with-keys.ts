import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { KeyFileError } from '../../replication/keys/key-file-error.js';
import { parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { isSystemError, openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';

/** Whose keys are meant. */
export interface KeysOptions {
  /** The configuration that names `node.data`. */
  readonly config?: string;
  /** `node.data`, in place of a configuration. */
  readonly directory?: string;
}

/** Why nothing was done. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly code: ExitCode = exitCodes.failure,
  ) {
    super(message);
  }
}

/** Does something with the keys of a node, and tells why if it cannot be done. */
export async function withKeys(
  options: KeysOptions,
  console: Console,
  action: (directory: KeyDirectory, data: string) => Promise<void>,
): Promise<ExitCode> {
  try {
    const data = dataDirectory(options, console);
    checkOwner(data);
    await action(new KeyDirectory(data), data);
    return exitCodes.ok;
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.err(`willis keys: ${error.message}\n`);
    return error instanceof Refused ? error.code : exitCodes.failure;
  }
}

const isExpected = (error: unknown): error is Error =>
  error instanceof Refused || error instanceof KeyFileError || error instanceof NotBelieved || isSystemError(error);

function dataDirectory({ directory, config }: KeysOptions, console: Console): string {
  if (directory !== undefined) return resolve(console.directory, directory);
  const opened = openConfig(config, console);
  if (opened === null)
    throw new Refused('give --directory, or a configuration that can stand', exitCodes.configuration);
  return opened.config.node.data;
}

/** What another user writes there, the node could not read afterwards. */
function checkOwner(data: string): void {
  const self = process.getuid?.();
  const owner = statSync(data, { throwIfNoEntry: false })?.uid;
  if (self === undefined || owner === undefined || self === owner) return;
  throw new Refused(`${data} belongs to the user ${owner}: run this as that user, not as ${self}`);
}

/** @throws Refused */
export function namespaceOf(text: string): Namespace {
  try {
    return parseNamespace(text);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new Refused(`${JSON.stringify(text)} is no namespace: ${error.message}`);
  }
}

/** How long what is signed is to be believed. @throws Refused */
export function lifetime(days = '400'): Milliseconds {
  const count = /^\d{1,5}$/.test(days) ? Number(days) : 0;
  if (count < 1) throw new Refused(`--days: expected a number from 1 to 99999, got ${JSON.stringify(days)}`);
  return milliseconds(count * 86_400_000);
}
