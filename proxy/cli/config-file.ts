import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../config/config-error.js';
import { loadWithPositions, type LoadedConfig } from '../../config/load.js';
import type { Console } from './console.js';

const fileName = 'proxy.config.yaml';

export interface OpenedConfig extends LoadedConfig {
  /** The file, as a person would call it from the working directory. */
  readonly name: string;
  /** Its absolute path. */
  readonly path: string;
}

/** A configuration file that cannot be read; the message names it and says why. */
class UnreadableConfig extends Error {
  override readonly name = 'UnreadableConfig';
}

/**
 * Loads the file given, or `proxy.config.yaml` of the working directory, or the one that came with the program. Prints
 * every problem to standard error and returns null if it cannot stand.
 */
export function openConfig(given: string | undefined, console: Console): OpenedConfig | null {
  try {
    return readConfig(given, console);
  } catch (error) {
    if (!isConfigFault(error)) throw error;
    console.err(`${error.message}\n`);
    return null;
  }
}

/** As `openConfig`. @throws an error that is a `isConfigFault`, whose message says in lines what is wrong and where */
export function readConfig(given: string | undefined, console: Console): OpenedConfig {
  const path = resolve(console.directory, given ?? defaultFile(console.directory));
  const inside = relative(console.directory, path);
  const name = inside.startsWith('..') ? path : inside;
  try {
    const text = readFileSync(path, 'utf8');
    const loaded = loadWithPositions(text, path, console.environment, { hostName: console.hostName });
    return { name, path, ...loaded };
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(name, error.problems);
    if (isSystemError(error)) throw new UnreadableConfig(`${name}: ${cannotRead(error)}`, { cause: error });
    throw error;
  }
}

/** Whether an error is the fault of a configuration and not of the program. */
export const isConfigFault = (error: unknown): error is Error =>
  error instanceof ConfigError || error instanceof UnreadableConfig;

function defaultFile(directory: string): string {
  return existsSync(join(directory, fileName)) ? fileName : join(programDirectory(), fileName);
}

/** The top of the program's own tree, from the sources as well as from what is built of them. */
export function programDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory))
    directory = dirname(directory);
  return directory;
}

export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';

function cannotRead(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'there is no such file.';
  if (error.code === 'EISDIR') return 'this is a directory; a YAML file was expected.';
  return `cannot be read (${error.message}).`;
}
