/** The keywords of JSON Schema (2020-12) that the exported schema uses. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';
  readonly enum?: readonly string[];
  readonly const?: string | number;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of maps whose keys are for the operator to choose. */
  readonly propertyNames?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Keys and list positions from the top of a document down. */
export type Path = readonly (string | number)[];

/** `sites[0].origin` */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

export const definitionName = (node: SchemaNode): string | null => node.$ref?.split('/').at(-1) ?? null;

/** The node itself, or the definition that it refers to. */
export function resolved(root: SchemaNode, node: SchemaNode): SchemaNode {
  const name = definitionName(node);
  return name === null ? node : (root.$defs?.[name] ?? node);
}

/** The branches of a node: those of `anyOf`, nested ones included, or the node alone. */
export function branches(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const inner = resolved(root, node).anyOf;
  return inner === undefined ? [node] : inner.flatMap((branch) => branches(root, branch));
}

/** What may stand at a path, or null where nothing may. */
export function nodeAt(root: SchemaNode, path: Path): SchemaNode | null {
  let nodes: SchemaNode[] = [root];
  for (const step of path) {
    nodes = nodes.flatMap((node) => branches(root, node)).flatMap((node) => below(resolved(root, node), step) ?? []);
  }
  return nodes.length > 1 ? { anyOf: nodes } : (nodes[0] ?? null);
}

function below(node: SchemaNode, step: string | number): SchemaNode | undefined {
  if (typeof step === 'number') return node.items;
  const { properties, additionalProperties: chosen } = node;
  if (properties !== undefined && Object.hasOwn(properties, step)) return properties[step];
  return typeof chosen === 'object' ? chosen : undefined;
}

/** The keys of the maps that may stand at a path. */
export function keysAt(root: SchemaNode, path: Path): string[] {
  const node = nodeAt(root, path);
  if (node === null) return [];
  return branches(root, node).flatMap((branch) => Object.keys(resolved(root, branch).properties ?? {}));
}

/** Every key of the document as a path in the form `sites[].host`, with its node, in the order of the table. */
export function allKeys(root: SchemaNode, node: SchemaNode = root, prefix = ''): [path: string, node: SchemaNode][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (value.properties !== undefined) return allKeys(root, value, path);
    const inner = value.items === undefined ? [] : allKeys(root, value.items, `${path}[]`);
    return [[path, value] as [string, SchemaNode], ...inner];
  });
}
