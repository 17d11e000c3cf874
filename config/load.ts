import { dirname, resolve } from 'node:path';
import { ConfigError } from './config-error.js';
import { inconsistencies } from './consistency.js';
import type { Environment } from './environment.js';
import { withPaths } from './files.js';
import { formatPath, type Path } from './json-schema.js';
import { problemsOf, valueAt, type Problem } from './problem.js';
import { asWritten, checkAgainstSchema, jsonSchema, type Config } from './schema.js';
import { yamlOf, YamlText } from './yaml-text.js';

export interface LoadOptions {
  /** Name of the node where the configuration gives none. */
  readonly hostName?: string;
}

/** A configuration and the text it came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** Where a key stands, or would stand, in the text. */
  positionOf(key: string): { readonly line: number; readonly column: number };
  /** Whether a key stands in the text, and is not what it is by default. */
  isWritten(key: string): boolean;
}

/**
 * Reads a configuration in YAML: variables of the environment put in, defaults filled in, checked, paths of files made
 * absolute from the directory of `source`, frozen.
 * @param source name of the file, for messages and relative paths
 * @throws ConfigError with every problem
 */
export const loadConfig = (text: string, source: string, environment: Environment, options: LoadOptions = {}): Config =>
  loadWithPositions(text, source, environment, options).config;

/** As `loadConfig`, for checks that come later and want to name a line. @throws ConfigError with every problem */
export function loadWithPositions(
  text: string,
  source: string,
  environment: Environment,
  options: LoadOptions = {},
): LoadedConfig {
  const yaml = new YamlText(text, source);
  const unset = yaml.substituteVariables(environment);
  const value = yaml.value();
  const checked = checkAgainstSchema(value);
  const wrong = 'issues' in checked ? problemsOf(checked.issues, value, jsonSchema()) : [];
  const elsewhere = [...wrong, ...inconsistencies(value)].filter(
    (one) => !unset.some((fault) => isSameKey(one, fault)),
  );
  yaml.refuse([...unset, ...elsewhere]);
  if ('issues' in checked) throw new ConfigError(source, []);
  const config = withPaths(checked.config, (path) => resolve(dirname(source), path));
  const name = config.node.name ?? options.hostName ?? 'localhost';
  return {
    config: deepFreeze({ ...config, node: { ...config.node, name } }),
    positionOf: (key) => yaml.positionOf(pathOf(key), 'value'),
    isWritten: (key) => valueAt(value, pathOf(key)) !== undefined,
  };
}

/** The configuration as YAML that loads to the same again, every key present. */
export const toYaml = (config: Config): string => yamlOf(asWritten(config));

const isSameKey = (a: Problem, b: Problem): boolean => formatPath(a.path) === formatPath(b.path);

const pathOf = (key: string): Path =>
  [...key.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)));

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
