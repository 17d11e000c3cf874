import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

/** One file of the product's code, parsed. */
export interface Source {
  /** From the top of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly syntax: ts.SourceFile;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the file of ours that it means, or null for packages and `node:` modules. */
  readonly file: string | null;
  /** Whether nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

export function parseSource(path: string, text: string): Source {
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  return { path, text, syntax, imports: importsOf(path, syntax) };
}

/** All TypeScript files under the given directories of the repository, those that exist. */
export function readSources(root: string, directories: readonly string[]): Source[] {
  return directories
    .flatMap((directory) => filesUnder(root, directory))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

/** Paths of all files under a directory of the repository; none if there is no such directory. */
export function filesUnder(root: string, directory: string): string[] {
  try {
    return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .sort();
  } catch {
    return [];
  }
}

/** `path:line` of a node, for messages. */
export function placeOf(source: Source, node: ts.Node): string {
  const { line } = source.syntax.getLineAndCharacterOfPosition(node.getStart(source.syntax));
  return `${source.path}:${line + 1}`;
}

/** Visits every node of a file. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function importsOf(path: string, syntax: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    imports.push({ specifier: specifier.text, file: resolve(path, specifier.text), typeOnly });
  };
  walk(syntax, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyExport(node));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
  });
  return imports;
}

function isTypeOnlyImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function isTypeOnlyExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly || exportClause === undefined || !ts.isNamedExports(exportClause)) return isTypeOnly;
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly);
}

function resolve(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/').replace(/\.js$/, '.ts');
}
