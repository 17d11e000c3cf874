import ts from 'typescript';
import type { Source } from './source.js';

const meaningless = ['index', 'utils', 'util', 'helpers', 'helper', 'common', 'types', 'misc', 'shared'];

/** Files whose name says nothing of what stands in them. */
export function meaninglessNames(paths: readonly string[]): string[] {
  return paths.filter((path) => meaningless.includes(path.split('/').at(-1)?.replace(/\..*$/, '') ?? ''));
}

/** Files that do nothing but pass on what others export. */
export function barrels(sources: readonly Source[]): string[] {
  return sources
    .filter(({ syntax }) => syntax.statements.length > 0 && syntax.statements.every(isPassedOn))
    .filter(({ syntax }) => syntax.statements.some(ts.isExportDeclaration))
    .map(({ path }) => path);
}

/** Whole files or parts of them, as `path:line text`, that belong on somebody's desk and not into the product. */
export function deskWords(texts: readonly { readonly path: string; readonly text: string }[]): string[] {
  const found: string[] = [];
  for (const { path, text } of texts) {
    for (const [index, line] of text.split('\n').entries()) {
      const word = /\b(TODO|FIXME|XXX|HACK)\b|(?<![\w.])\/(work|tmp\/brief|tmp\/scratch)\//.exec(line)?.[0];
      if (word !== undefined) found.push(`${path}:${index + 1} ${word}`);
    }
  }
  return found;
}

/** Paths below the source rooms or `test/` that a page in Markdown names between backquotes. */
export const namedFiles = (markdown: string): string[] =>
  [...markdown.matchAll(/`((?:config|proxy|wlis|replication|test|docs)\/[\w./-]*)`/g)].map(([, path = '']) => path);

const isPassedOn = (statement: ts.Statement): boolean =>
  ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
