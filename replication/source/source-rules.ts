import type { FieldsBlock } from '../../wlis/trust/fields-block.js';
import { fieldsBlock } from '../../wlis/trust/fields-block.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { encodePath } from './uri-path.js';
import { pathPatterns, type PathPatterns } from '../../wlis/path-patterns.js';
import { isTemporaryName } from './temporary-names.js';

/** What of a directory is published, and how. Paths are below its top, names as files have them. */
export interface SourceRules {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Patterns of paths in which names may begin with a dot. */
  readonly dotfiles: readonly string[];
  /** Names of pages that stand for their directory, the preferred one first. */
  readonly indexPages: readonly string[];
  /** `about.html` is published as `about`. */
  readonly cleanUrls: boolean;
  /** Media types by extension in lower case, without its dot; before those that are known. */
  readonly types: Readonly<Record<string, string>>;
  /** Fields for documents; of two rules for one document and field the later one counts. */
  readonly headers: readonly HeaderRule[];
  /** Single documents that only lead elsewhere, in place of what there may be. */
  readonly redirects: readonly RedirectRule[];
}

export interface HeaderRule {
  readonly match: string;
  readonly set: Readonly<Record<string, string>>;
}

export interface RedirectRule {
  /** Path of one document. */
  readonly from: string;
  /** Reference for `Location`. */
  readonly to: string;
  readonly status: RedirectStatus;
}

export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

export const usualRules: SourceRules = {
  include: ['**'],
  exclude: [],
  dotfiles: [],
  indexPages: ['index.html'],
  cleanUrls: false,
  types: {},
  headers: [],
  redirects: [],
};

/**
 * Why something is not published. `hidden`: a dotfile; `temporary`: nobody means it to stay; `excluded`, `not-included`: by the
 * operator's patterns; `unspeakable`: no URI can name it; `reserved`: `/.well-known/` of the authority.
 */
export type Unpublished = 'hidden' | 'temporary' | 'excluded' | 'not-included' | 'unspeakable' | 'reserved';

/** Rules made ready for many questions. */
export interface CompiledRules {
  readonly rules: SourceRules;
  /** Null for a file that is published. */
  judgeFile(path: string): Unpublished | null;
  /** Null for a directory, whose path ends in a slash, in which there may be something. */
  judgeDirectory(path: string): Unpublished | null;
  /** For the document of a path, with `more` that the document brings along. */
  fieldsFor(path: string, more?: readonly string[]): FieldsBlock;
  /** By the directory that they are in: paths as URIs have them. */
  readonly redirects: ReadonlyMap<string, readonly (RedirectRule & { readonly path: string })[]>;
}

/** @param atTop the namespace is all of its authority, where `/.well-known/` is */
export function compileRules(rules: SourceRules, atTop: boolean): CompiledRules {
  const include = pathPatterns(rules.include);
  const exclude = pathPatterns(rules.exclude);
  const dotfiles = pathPatterns(rules.dotfiles);
  const headers = rules.headers.map(({ match, set }) => ({ match: pathPatterns([match]), set }));
  const name = (path: string): Unpublished | null => judgeName(path, dotfiles, atTop);
  return {
    rules,
    judgeFile: (path) =>
      name(path) ?? (exclude.matches(path) ? 'excluded' : include.matches(path) ? null : 'not-included'),
    judgeDirectory: (path) => name(path.slice(0, -1)) ?? (exclude.coversAllBelow(path) ? 'excluded' : null),
    fieldsFor: (path, more = []) => fieldsFor(path, more, headers),
    redirects: redirectsByDirectory(rules.redirects),
  };
}

/** Of the last name in a path; those before have been judged already. */
function judgeName(path: string, dotfiles: PathPatterns, atTop: boolean): Unpublished | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (atTop && path === '.well-known') return 'reserved';
  if (isTemporaryName(name)) return 'temporary';
  if (name.startsWith('.') && !dotfiles.matches(path) && !dotfiles.coversAllBelow(`${path}/`)) return 'hidden';
  return encodePath(name) === null || path.length > longestPath ? 'unspeakable' : null;
}

/** Leaves room for the namespace, and for `%XX` for each character, within the longest URI that is taken by default. */
const longestPath = 4096;

function fieldsFor(
  path: string,
  more: readonly string[],
  headers: readonly { readonly match: PathPatterns; readonly set: Readonly<Record<string, string>> }[],
): FieldsBlock {
  if (headers.length === 0 && more.length === 0) return noFields;
  const values = new Map<string, string>();
  for (const { match, set } of headers) {
    if (!match.matches(path)) continue;
    for (const [field, value] of Object.entries(set)) values.set(field.toLowerCase(), value);
  }
  for (let i = 0; i < more.length; i += 2) addTo(values, more[i] as string, more[i + 1] as string);
  return sealed([...values]);
}

/** What no record can have is given as it is: then the document is refused, and not all that is published with it. */
function sealed(fields: (readonly [name: string, value: string])[]): FieldsBlock {
  try {
    return fieldsBlock(fields.flat());
  } catch (error) {
    if (error instanceof NotBelieved) return fields;
    throw error;
  }
}

/** What a document brings along stands beside a rule's `Vary`, and replaces everything else. */
function addTo(values: Map<string, string>, field: string, value: string): void {
  const before = field === 'vary' ? values.get(field) : undefined;
  values.set(field, before === undefined ? value : `${before}, ${value}`);
}

const noFields: FieldsBlock = Object.freeze([]);

function redirectsByDirectory(rules: readonly RedirectRule[]): CompiledRules['redirects'] {
  const found = new Map<string, (RedirectRule & { readonly path: string })[]>();
  for (const rule of rules) {
    const path = encodePath(rule.from);
    if (path === null) continue;
    const directory = rule.from.slice(0, rule.from.lastIndexOf('/') + 1);
    found.set(directory, [...(found.get(directory) ?? []), { ...rule, path }]);
  }
  return found;
}
