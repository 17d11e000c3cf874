import { dirname, resolve } from 'node:path';
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  stringify,
  visit,
  type Document,
} from 'yaml';
import { ConfigError, type ConfigProblem } from './config-error.js';
import { inconsistencies } from './consistency.js';
import { isReference, substitute, type Environment } from './environment.js';
import { withPaths } from './files.js';
import { formatPath, type Path } from './json-schema.js';
import { problemsOf, valueAt, type Problem } from './problem.js';
import { asWritten, checkAgainstSchema, jsonSchema, type Config } from './schema.js';

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
export const toYaml = (config: Config): string => stringify(asWritten(config), { lineWidth: 0 });

const isSameKey = (a: Problem, b: Problem): boolean => formatPath(a.path) === formatPath(b.path);

const pathOf = (key: string): Path =>
  [...key.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)));

/** A document that knows the line and column of each of its keys. */
class YamlText {
  readonly #source: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #problems: ConfigProblem[] = [];

  /** @throws ConfigError if it is not YAML; of keys given twice it is told later, with what else there is */
  constructor(text: string, source: string) {
    this.#source = source;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const { code, message, pos } of [...this.#document.errors, ...this.#document.warnings]) {
      this.#problems.push({
        ...this.#at(pos[0]),
        path: '',
        ...yamlFault(code, message, text.slice(pos[0])),
        hint: null,
      });
    }
    if (this.#document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) this.refuse([]);
  }

  /** An empty document is a map without keys. @throws ConfigError if aliases make it too large */
  value(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 }) ?? {};
    } catch (error) {
      const got = error instanceof Error ? error.message : String(error);
      this.refuse([{ path: [], at: 'value', expected: 'few aliases', got, hint: null }]);
      throw error;
    }
  }

  /**
   * Puts variables of the environment into the values. One that stands alone and unquoted and is a number becomes one,
   * as if it had been written there.
   */
  substituteVariables(environment: Environment): Problem[] {
    const problems: Problem[] = [];
    visit(this.#document, {
      Scalar: (key, node, ancestors) => {
        if (key === 'key' || typeof node.value !== 'string') return;
        const alone = node.type === 'PLAIN' && isReference(node.value);
        const { text, fault } = substitute(node.value, environment);
        if (fault === null) node.value = alone && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
        else problems.push({ path: pathThrough([...ancestors, node]), at: 'value', ...fault });
      },
    });
    return problems;
  }

  /** @throws ConfigError if there are problems, these or those of the text itself */
  refuse(problems: readonly Problem[]): void {
    const placed = problems.map(({ path, at, expected, got, hint }) => ({
      ...this.positionOf(path, at),
      path: formatPath(path),
      expected,
      got,
      hint,
    }));
    const all = [...this.#problems, ...placed].sort((a, b) => a.line - b.line || a.column - b.column);
    if (all.length > 0) throw new ConfigError(this.#source, all);
  }

  /** Of the key or the value at a path; of the innermost thing around it if there is none. */
  positionOf(path: Path, at: 'key' | 'value'): { line: number; column: number } {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#document);
      let value: unknown;
      // One thing by itself may stand for a list of one.
      if (isMap(node) && typeof step === 'number') continue;
      if (isMap(node)) {
        const pair = node.items.findLast((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (pair === undefined) break;
        const keyOnly = at === 'key' && depth === path.length - 1;
        offset = (keyOnly ? null : startOf(pair.value)) ?? startOf(pair.key) ?? offset;
        value = pair.value;
      } else if (isSeq(node)) {
        value = node.items[Number(step)];
        offset = startOf(value) ?? offset;
      }
      node = value;
    }
    return this.#at(offset);
  }

  #at(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}

function yamlFault(code: string, message: string, rest: string): { expected: string; got: string } {
  const key = /^[^\s:]*/.exec(rest)?.[0] ?? '';
  if (code === 'DUPLICATE_KEY') return { expected: 'each key once', got: `${key} again` };
  if (code === 'MULTIPLE_DOCS') return { expected: 'one document', got: 'another one' };
  return { expected: 'well-formed YAML', got: `an error: ${message}` };
}

const startOf = (node: unknown): number | null => (isNode(node) ? (node.range?.[0] ?? null) : null);

/** The path of the last of a chain of nodes, from the document down. */
function pathThrough(chain: readonly unknown[]): Path {
  return chain.slice(0, -1).flatMap((node, index): Path => {
    const next = chain[index + 1];
    if (isSeq(node)) return [node.items.indexOf(next)];
    if (!isMap(node)) return [];
    const pair = node.items.find((item) => item === next);
    return pair !== undefined && isScalar(pair.key) ? [String(pair.key.value)] : [];
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
