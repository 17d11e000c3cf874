import { allKeys, definitionName, type SchemaNode } from './json-schema.js';

/** The tables of all keys and of the types of their values, in Markdown, from the exported schema. */
export function referenceTables(root: SchemaNode): string {
  const keys = allKeys(root).map(([path, node]) =>
    row(`\`${path}\``, typeOf(node), defaultOf(node), node.description ?? ''),
  );
  const types = Object.entries(root.$defs ?? {}).flatMap(([name, node]) => [
    `| ${name} | ${cell(node.description ?? '')} |`,
    ...Object.entries(node.properties ?? {}).map(
      ([key, inner]) => `| ${name}: \`${key}\` | ${cell(`${typeOf(inner)}. ${inner.description ?? ''}`)} |`,
    ),
  ]);
  return [
    '| key | type | default | meaning |',
    '| --- | --- | --- | --- |',
    ...keys,
    '',
    '| type | what may be written |',
    '| --- | --- |',
    ...types,
    '',
  ].join('\n');
}

const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

const cell = (text: string): string => text.replace(/[|*]/g, '\\$&');

function defaultOf({ default: value }: SchemaNode): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function typeOf(node: SchemaNode): string {
  const name = definitionName(node);
  if (name !== null) return name;
  if (node.anyOf !== undefined) return node.anyOf.map(typeOf).join(' or ');
  if (node.enum !== undefined) return node.enum.join(', ');
  if (node.const !== undefined) return String(node.const);
  if (node.type === 'array')
    return node.items?.properties === undefined ? `list of ${typeOf(node.items ?? {})}` : 'list';
  if (node.type === 'integer') return 'whole number';
  return node.type ?? '';
}
