import { isDeepStrictEqual } from 'node:util';
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
import { isReference, substitute, type Environment } from './environment.js';
import { formatPath, type Path } from './json-schema.js';
import type { Problem } from './problem.js';

/** A value in YAML, without line breaks that nobody wrote. */
export const yamlOf = (value: unknown): string => stringify(value, { lineWidth: 0 });

/** A document that knows the line and column of each of its keys. */
export class YamlText {
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

/**
 * The text with one more item at the end of the list at a path of two keys, each of which is made where there is none.
 * Whatever else stands there stays as it is, to the byte where the list is written an item a line or not at all; otherwise
 * order, comments and references to the environment stay, and only the layout may change.
 * @throws Error if the text is no YAML, or there is something else than a list; the message says so
 */
export function withItem(text: string, path: ListPath, item: object): string {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(fault.message);
  const wanted = withAdded(document.toJS({ maxAliasCount: 100 }), path, item);
  if (wanted === null) throw new Error(`${path.join('.')} is no list`);
  const isRight = (edited: string | null): edited is string =>
    edited !== null && isDeepStrictEqual(parseDocument(edited).toJS({ maxAliasCount: 100 }), wanted);
  const inserted = insertedText(text, document, path, item);
  if (isRight(inserted)) return inserted;
  const rewritten = rewrittenText(document, path, item);
  if (isRight(rewritten)) return rewritten;
  throw new Error(`${path.join('.')} is written in a way that cannot be added to`);
}

/** The names of the maps that lead to a list, and its own. */
export type ListPath = readonly [section: string, ...names: string[]];

/** The value with the item at the end of the list; null if there is something else in its place. */
function withAdded(value: unknown, [name, ...rest]: readonly string[], item: object): unknown {
  if (name === undefined) return value == null ? [item] : Array.isArray(value) ? [...(value as unknown[]), item] : null;
  const map = (value ?? {}) as Readonly<Record<string, unknown>>;
  const inner = withAdded(map[name], rest, item);
  return inner === null ? null : { ...map, [name]: inner };
}

/** What stands at a path if nothing else does. */
const nested = (names: readonly string[], item: object): unknown =>
  names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), [item]);

/** Null if there is neither a list with an item a line nor nothing at all. */
function insertedText(text: string, document: Document, path: ListPath, item: object): string | null {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = (written: string): string => written.replaceAll('\n', lineEnd);
  if (!document.has(path[0])) {
    const before = text === '' || text.endsWith('\n') ? text : `${text}${lineEnd}`;
    return `${before}${text.trim() === '' ? '' : lineEnd}${lines(yamlOf(nested(path, item)))}`;
  }
  const node: unknown = document.getIn(path, true);
  if (!isSeq(node) || node.flow === true) return null;
  const last = node.items.at(-1);
  const [start, end] = [startOf(node), isNode(last) ? last.range?.[1] : undefined];
  if (start === null || end === undefined) return null;
  const indent = ' '.repeat(start - (text.lastIndexOf('\n', start - 1) + 1));
  // a comment behind the last item stays with it
  const content = text.slice(0, end).trimEnd().length;
  const lineFeed = text.indexOf('\n', content);
  const at = lineFeed < 0 ? text.length : lineFeed + 1;
  const before = lineFeed < 0 ? `${text}${lineEnd}` : text.slice(0, at);
  return `${before}${lines(yamlOf([item]).replace(/^(?=.)/gm, indent))}${text.slice(at)}`;
}

function rewrittenText(document: Document, path: ListPath, item: object): string | null {
  const [section] = path;
  const node: unknown = document.getIn(path, true);
  const depth = path.findLastIndex((_, i) => i > 0 && isMap(document.getIn(path.slice(0, i), true)));
  if (isSeq(node)) {
    if (node.items.length === 0) node.flow = false;
    node.add(document.createNode(item));
  } else if (depth > 0) {
    document.setIn(path.slice(0, depth + 1), document.createNode(nested(path.slice(depth + 1), item)));
  } else {
    const nothing: unknown = document.get(section, true);
    const made = document.createNode(nested(path.slice(1), item));
    if (isNode(nothing) && isNode(made)) made.commentBefore = nothing.comment ?? null;
    document.set(section, made);
  }
  return document.toString({ lineWidth: 0 });
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
