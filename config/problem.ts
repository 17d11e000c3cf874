import { nearest } from './did-you-mean.js';
import {
  allKeys,
  branches,
  definitionName,
  formatPath,
  keysAt,
  nodeAt,
  resolved,
  type Path,
  type SchemaNode,
} from './json-schema.js';

/** Something in a configuration that cannot stand. */
export interface Problem {
  readonly path: Path;
  /** Whether the key itself is wrong, or its value. */
  readonly at: 'key' | 'value';
  /** In words that continue "expected …, got …". */
  readonly expected: string;
  readonly got: string;
  /** A sentence that says what to do. */
  readonly hint: string | null;
}

/** What zod reports, as far as it is used. */
export interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly params?: Record<string, unknown> | undefined;
}

/** The problems behind zod's issues, in the words of the schema instead of zod's. */
export const problemsOf = (issues: readonly Issue[], value: unknown, root: SchemaNode): Problem[] =>
  issues.flatMap((issue) => fromIssue(issue, [], value, root));

function fromIssue(issue: Issue, base: Path, value: unknown, root: SchemaNode): Problem[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys') return (issue.keys ?? []).map((key) => unknownKey([...path, key], root));
  if (issue.code === 'invalid_key') return [wrongKey(path, root)];
  if (issue.errors !== undefined) {
    const meant = alternativesMeant(issue.errors);
    if (meant.length === 1) return (meant[0] ?? []).flatMap((inner) => fromIssue(inner, path, value, root));
  }
  return [wrongValue(path, valueAt(value, path), issue.params?.['expected'], root)];
}

/** Those that whoever wrote the value had in mind, as far as its type tells; of several, those of which something is right. */
function alternativesMeant(all: readonly (readonly Issue[])[]): readonly (readonly Issue[])[] {
  const meant = all.filter((branch) => !branch.some((inner) => isOfItself(inner, 'invalid_type')));
  const begun = meant.filter((branch) => !branch.some((inner) => isOfItself(inner, 'invalid_value')));
  return meant.length > 1 ? begun : meant;
}

const isOfItself = ({ path, code }: Issue, expected: string): boolean => path.length === 0 && code === expected;

function unknownKey(path: Path, root: SchemaNode): Problem {
  const key = String(path.at(-1));
  const here = path.slice(0, -1);
  const known = keysAt(root, here);
  const near = nearest(key, known);
  const elsewhere = allKeys(root)
    .map(([known]) => known)
    .filter((known) => known.split('.').at(-1) === key);
  const meant = near === null ? elsewhere : [formatPath([...here, near])];
  const expected = known.length === 0 ? 'no such key' : `one of ${known.join(', ')}`;
  const hint = meant.length === 0 ? null : `Did you mean ${meant.join(' or ')}?`;
  return { path, at: 'key', expected, got: `the unknown key '${key}'`, hint };
}

/** Of a map whose keys are for the operator to choose. */
function wrongKey(path: Path, root: SchemaNode): Problem {
  const map = nodeAt(root, path.slice(0, -1));
  const expected = describe(root, map?.propertyNames ?? {});
  return { path, at: 'key', expected, got: shown(path.at(-1)), hint: null };
}

function wrongValue(path: Path, value: unknown, expected: unknown, root: SchemaNode): Problem {
  const node = nodeAt(root, path) ?? root;
  const alternatives = topBranches(node);
  const fitting = alternatives.filter((one) =>
    branches(root, one).some((branch) => fits(resolved(root, branch), value)),
  );
  const candidates = fitting.length > 0 ? fitting : alternatives;
  const words =
    typeof expected === 'string' ? expected : candidates.map((branch) => describe(root, branch)).join(' or ');
  return { path, at: 'value', expected: words, got: shown(value), hint: hintFor(node, value) };
}

/** As `branches`, but what has a name, and so a description of its own, stays whole. */
const topBranches = (node: SchemaNode): readonly SchemaNode[] =>
  definitionName(node) === null ? (node.anyOf ?? [node]) : [node];

function fits(node: SchemaNode, value: unknown): boolean {
  if (node.const !== undefined) return node.const === value;
  if (node.type === 'array') return Array.isArray(value);
  if (node.type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (node.type === 'integer') return typeof value === 'number';
  return node.type === (value === null ? 'null' : typeof value);
}

function describe(root: SchemaNode, node: SchemaNode): string {
  if (definitionName(node) !== null) return resolved(root, node).description ?? 'another value';
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  if (node.const !== undefined) return String(node.const);
  if (node.anyOf !== undefined) return node.anyOf.map((branch) => describe(root, branch)).join(' or ');
  switch (node.type ?? 'string') {
    case 'array':
      return 'a list';
    case 'object':
      return node.properties === undefined ? 'a map' : `a map of ${Object.keys(node.properties).join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'null':
      return 'null';
    case 'string':
      return 'a text';
  }
}

const bounds = ({ minimum, maximum }: SchemaNode): string =>
  minimum === undefined || maximum === undefined ? '' : ` from ${minimum} to ${maximum}`;

function hintFor(node: SchemaNode, value: unknown): string | null {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : null;
  const name = definitionName(node);
  if (value === null && (node.type === 'object' || node.type === 'array'))
    return 'Leave the key out to have its default.';
  if (text === null) return null;
  if (node.type === 'array' && node.items?.type !== 'object') return `Write a list: [${text}].`;
  if ((node.type === 'integer' || node.type === 'number') && /^\d+$/.test(text) && typeof value === 'string') {
    return 'Write it without quotes.';
  }
  if (node.enum !== undefined) return question(nearest(text, node.enum));
  if (name === 'duration' || name === 'timeout')
    return /^\d+$/.test(text) ? `Write ${text}s for seconds, ${text}ms for milliseconds.` : null;
  if (name === 'size') return question(sizeMeant(text));
  if (name === 'prefix') return question(/^[\w./-]+$/.test(text) ? `/${text}/`.replace(/\/+/g, '/') : null);
  if (name === 'origin') return question(/^https?:\/\/[^\s?#@\\]+[^/\s?#@\\]$/i.test(text) ? `${text}/` : null);
  return null;
}

const question = (meant: string | null): string | null => (meant === null ? null : `Did you mean ${meant}?`);

function sizeMeant(text: string): string | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt])?i?b?$/i.exec(text);
  if (match === null) return null;
  const [, amount = '', letter] = match;
  const meant = letter === undefined ? amount : `${amount}${letter.toUpperCase()}iB`;
  return meant === text ? null : meant;
}

/** A value as it may stand in a message: short, on one line, without user and password of a URL. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return abridged(text.replace(/\/\/[^/"]*@/, '//…@'));
}

const abridged = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);

/** What stands at a path of a plain value; undefined where nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}
