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
}

/**
 * Loads the file given, or `proxy.config.yaml` of the working directory, or the one that came with the program. Prints
 * every problem to standard error and returns null if it cannot stand.
 */
export function openConfig(given: string | undefined, console: Console): OpenedConfig | null {
  const path = resolve(console.directory, given ?? defaultFile(console.directory));
  const inside = relative(console.directory, path);
  const name = inside.startsWith('..') ? path : inside;
  try {
    const text = readFileSync(path, 'utf8');
    const loaded = loadWithPositions(text, path, console.environment, { hostName: console.hostName });
    return { name, ...loaded };
  } catch (error) {
    if (error instanceof ConfigError) console.err(`${new ConfigError(name, error.problems).message}\n`);
    else if (isSystemError(error)) console.err(`${name}: ${cannotRead(error)}\n`);
    else throw error;
    return null;
  }
}

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
