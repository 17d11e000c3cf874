import ts from 'typescript';
import { placeOf, type Source } from './source.js';

/**
 * Times and sizes that leave a file as a bare `number`: parameters, results and properties of what is exported, whose
 * name ends in a word of time or size. Names alone tell what is exported; no types are computed.
 */
export function bareUnits(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.syntax.statements.filter(isExported).flatMap((statement) => bareUnitsOf(source, statement)),
  );
}

function bareUnitsOf(source: Source, statement: ts.Statement): string[] {
  const found: string[] = [];
  walkSignatures(statement, (node, name) => {
    if (namesUnit(name) && !isCountOfEntries(node, name)) found.push(`${placeOf(source, node)} ${name}: number`);
  });
  return found;
}

/** Gives every declaration of type `number` that can be seen from outside; bodies and private members cannot. */
function walkSignatures(statement: ts.Statement, visit: (node: ts.Node, name: string) => void): void {
  const visible = (node: ts.Node): void => {
    if (ts.isBlock(node) || isPrivate(node)) return;
    if (isTyped(node) && isBareNumber(node.type)) visit(node, nameOf(node));
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined && ts.isArrowFunction(node.initializer)) {
      if (isBareNumber(node.initializer.type)) visit(node, node.name.getText());
      node.initializer.parameters.forEach(visible);
      return;
    }
    ts.forEachChild(node, visible);
  };
  visible(statement);
}

type Typed = ts.Node & { readonly type?: ts.TypeNode | undefined; readonly name?: ts.Node | undefined };

const isTyped = (node: ts.Node): node is Typed =>
  ts.isParameter(node) ||
  ts.isPropertySignature(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isMethodSignature(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isGetAccessor(node) ||
  ts.isFunctionDeclaration(node);

function isBareNumber(type: ts.TypeNode | undefined): boolean {
  if (type === undefined) return false;
  if (ts.isUnionTypeNode(type)) return type.types.some(isBareNumber);
  if (ts.isTypeReferenceNode(type) && type.typeName.getText() === 'Promise') {
    return type.typeArguments?.some(isBareNumber) ?? false;
  }
  return type.kind === ts.SyntaxKind.NumberKeyword;
}

/** `size` of a collection, as `Map` and `Set` have it. */
const isCountOfEntries = (node: ts.Node, name: string): boolean => ts.isGetAccessor(node) && name === 'size';

function isPrivate(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false;
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return true;
  return modifiersOf(node).includes(ts.SyntaxKind.PrivateKeyword);
}

const isExported = (statement: ts.Statement): boolean => modifiersOf(statement).includes(ts.SyntaxKind.ExportKeyword);

const modifiersOf = (node: ts.Node): ts.SyntaxKind[] =>
  ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []).map(({ kind }) => kind) : [];

const nameOf = ({ name }: Typed): string => name?.getText() ?? '';

/** The last word of a camel-case name decides; `lifetime` and its like are words of time too. */
function namesUnit(name: string): boolean {
  const last = /[A-Z]?[a-z0-9]*$/.exec(name)?.[0].toLowerCase() ?? '';
  return /^(\w*time|timeout|ms|milliseconds|seconds|bytes|size|length|age|duration|delay)$/.test(last);
}
