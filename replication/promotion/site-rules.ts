import { NOT_FOUND } from '../../wlis/trust/record.js';
import { mediaTypeOf } from '../source/media-types.js';
import type { PublishedDocument } from '../source/published-document.js';
import {
  usualRules,
  type HeaderRule,
  type RedirectRule,
  type RedirectStatus,
  type SourceRules,
} from '../source/source-rules.js';
import { decoded, type SiteNames } from './site-names.js';

/** More rules than that nobody would keep: documents of which one would be wanting are told of instead. */
const mostRules = 200;

/**
 * The rules by which files of those names become these documents again, as far as there are such rules.
 * @param isText of a file, by its name
 */
export function findRules(
  documents: readonly PublishedDocument[],
  { files, names, indexPages, cleanUrls }: SiteNames,
  isText: (name: string) => boolean,
): SourceRules {
  return {
    ...usualRules,
    ...{ indexPages, cleanUrls },
    dotfiles: dotfilesIn([...files.keys()]),
    types: typesOf(documents, names, isText),
    headers: headerRules(documents),
    redirects: redirectRules(documents, { indexPages, cleanUrls }),
  };
}

/** Directories, or single files, whose names begin with a dot. */
function dotfilesIn(names: readonly string[]): readonly string[] {
  const patterns = new Set<string>();
  for (const name of names) {
    for (const { index } of name.matchAll(/(?:^|\/)\./g)) {
      const end = name.indexOf('/', index + 1);
      patterns.add(end < 0 ? name : `${name.slice(0, end)}/**`);
    }
  }
  return [...patterns].sort().slice(0, mostRules);
}

/** By extension, where it is another one than that which is known. Of two for one extension the first counts. */
function typesOf(
  documents: readonly PublishedDocument[],
  names: SiteNames['names'],
  isText: (name: string) => boolean,
): Readonly<Record<string, string>> {
  const types: Record<string, string> = {};
  for (const { path, variants } of documents) {
    const name = names.get(path) ?? '';
    const type = variants[0]?.type ?? null;
    const extension = /[^.]\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
    if (type === null || extension === undefined || Object.hasOwn(types, extension)) continue;
    if (mediaTypeOf(name, isText(name), {}) === type) continue;
    types[extension] = isText(name) ? type.replace(/^(text\/[^;]+); charset=utf-8$/, '$1') : type;
  }
  return types;
}

/** What no file says of them, and no other file leads to. */
function redirectRules(
  documents: readonly PublishedDocument[],
  { indexPages, cleanUrls }: Pick<SiteNames, 'indexPages' | 'cleanUrls'>,
): readonly RedirectRule[] {
  const paths = new Set(documents.flatMap(({ path, status }) => (status === 200 ? [path] : [])));
  return documents.flatMap(({ path, status, fields }): RedirectRule[] => {
    const to = fields.find(([name]) => name === 'location')?.[1];
    const from = decoded(path);
    if (!isRedirect(status) || to === undefined || from === null) return [];
    const isOfDirectory = status === 301 && paths.has(`${path}/`) && to.endsWith('/');
    const isOfPage = cleanUrls && status === 301 && path.endsWith('.html') && isCleanPage(path, paths, indexPages);
    return isOfDirectory || isOfPage ? [] : [{ from, to, status }];
  });
}

const isCleanPage = (path: string, paths: ReadonlySet<string>, indexPages: readonly string[]): boolean =>
  paths.has(path.slice(0, -'.html'.length)) ||
  (indexPages.includes(path.slice(path.lastIndexOf('/') + 1)) && paths.has(path.slice(0, path.lastIndexOf('/') + 1)));

const isRedirect = (status: number): status is RedirectStatus => [301, 302, 303, 307, 308].includes(status);

/**
 * For each field and value the fewest patterns that are for those documents which have it, and for no others: all; a directory;
 * an extension; single ones. What a document brings along itself is left out.
 */
function headerRules(documents: readonly PublishedDocument[]): readonly HeaderRule[] {
  const named = documents.map((document) => ({ name: ruledName(document), fields: ownFields(document) }));
  const pairs = new Map<string, Set<string>>();
  for (const { name, fields } of named) {
    for (const pair of fields) {
      const key = JSON.stringify(pair);
      pairs.set(key, (pairs.get(key) ?? new Set()).add(name));
    }
  }
  const sets = new Map<string, Record<string, string>>();
  const names = named.map(({ name }) => name);
  for (const [key, having] of pairs) {
    const [field, value] = JSON.parse(key) as [string, string];
    for (const match of patternsFor(having, names)) sets.set(match, { ...sets.get(match), [field]: value });
  }
  return [...sets].slice(0, mostRules).map(([match, set]) => ({ match, set }));
}

/** As patterns see it. */
const ruledName = ({ path }: PublishedDocument): string => (path === NOT_FOUND ? '404.html' : (decoded(path) ?? path));

function ownFields({ status, fields, variants }: PublishedDocument): readonly (readonly [string, string])[] {
  const hasSiblings = variants.some(({ coding }) => coding !== null);
  return fields.flatMap(([name, value]) => {
    if (name === 'location' && isRedirect(status)) return [];
    if (name !== 'vary' || !hasSiblings) return [[name, value] as const];
    const rest = value.replace(/(?:^|, )Accept-Encoding$/, '');
    return rest === '' ? [] : [[name, rest] as const];
  });
}

function patternsFor(having: ReadonlySet<string>, names: readonly string[]): Iterable<string> {
  const lacking = names.filter((name) => !having.has(name));
  if (lacking.length === 0) return ['**'];
  const others = {
    directories: new Set(lacking.flatMap(directoriesOf)),
    extensions: new Set(lacking.map(extensionOf)),
  };
  const found = new Set<string>();
  for (const name of having) {
    const directory = directoriesOf(name).find((one) => !others.directories.has(one));
    const extension = extensionOf(name);
    if (directory !== undefined) found.add(`${directory}**`);
    else if (extension !== '' && !others.extensions.has(extension)) found.add(`**/*${extension}`);
    // with a slash at its end a pattern is for all that is below
    else if (name !== '' && !name.endsWith('/')) found.add(name);
  }
  return found;
}

const extensionOf = (name: string): string => /\.[^./]+$/.exec(name)?.[0] ?? '';

/** Those that it is in, from the top down. */
function directoriesOf(name: string): readonly string[] {
  const directories: string[] = [];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) directories.push(name.slice(0, at + 1));
  return directories;
}
