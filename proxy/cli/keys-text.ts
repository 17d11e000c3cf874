import type { StoredKey } from '../../replication/keys/stored-key.js';
import type { Namespace } from '../../wlis/namespace.js';
import { ownLabel } from '../../wlis/trust/name-statement.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import type { RootChain } from '../../wlis/trust/root-chain.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';

/** What is public of the keys of a node. */
export interface KeysReport {
  /** Null if it has none yet. */
  readonly node: { readonly id: KeyId; readonly key: PublicKey } | null;
  readonly roots: readonly RootReport[];
  /** Keys that give names to namespaces, and the label that each gives by its own right. */
  readonly naming: readonly { readonly id: KeyId; readonly key: PublicKey; readonly own: string }[];
  /** Keys that no root statement names, or not any more. */
  readonly unnamed: readonly { readonly id: KeyId; readonly key: PublicKey; readonly of: string }[];
}

export interface RootReport {
  readonly origin: string;
  readonly serial: number;
  readonly root: NamedKey;
  readonly next: NamedKey;
  readonly namespaces: readonly (NamedKey & { readonly namespace: Namespace; readonly notAfter: string })[];
}

export interface NamedKey {
  readonly id: KeyId;
  /** Whether its secret is in this directory. */
  readonly here: boolean;
}

export function keysReport(keys: readonly StoredKey[], chains: readonly RootChain[]): KeysReport {
  const held = new Set(keys.map(({ id }) => id));
  const named = (id: KeyId): NamedKey => ({ id, here: held.has(id) });
  const roots = chains.flatMap((chain): RootReport[] => {
    const statement = chain.at(-1)?.statement;
    if (statement === undefined) return [];
    const { origin, serial, rootKey, nextRootKey } = statement;
    const namespaces = statement.namespaces.flatMap(({ namespace, signers }) =>
      signers.slice(-1).map(({ key, notAfter }) => {
        return { namespace, ...named(keyIdOf(key)), notAfter: new Date(notAfter).toISOString() };
      }),
    );
    return [{ origin, serial, root: named(keyIdOf(rootKey)), next: named(nextRootKey), namespaces }];
  });
  const inUse = new Set(roots.flatMap(({ root, next, namespaces }) => [root, next, ...namespaces].map(({ id }) => id)));
  const node = keys.find(({ purpose }) => purpose.kind === 'node');
  return {
    node: node === undefined ? null : publicHalf(node),
    roots,
    naming: keys
      .filter(({ purpose }) => purpose.kind === 'names')
      .map((key) => ({ ...publicHalf(key), own: ownLabel(key.id) })),
    unnamed: keys
      .filter(({ id, purpose: { kind } }) => kind !== 'node' && kind !== 'names' && !inUse.has(id))
      .map((key) => ({ ...publicHalf(key), of: ofWhat(key) })),
  };
}

export function keysText({ node, roots, naming, unnamed }: KeysReport, place: string): string {
  const lines: LabelledLine[] = [
    ['keys in', place],
    ['node', node === null ? 'none yet' : node.id],
    ...roots.flatMap(rootLines),
    ...naming.flatMap(({ id, own }): LabelledLine[] => [
      ['naming', id],
      ['  own names', `*.${own}.wlis`],
    ]),
    ...unnamed.map(({ id, key, of }): LabelledLine => ['unnamed', `${id} (${key}), made for ${of}`]),
  ];
  return labelledLines(lines, { indent: 0, column: 12, width: 200 });
}

const rootLines = ({ origin, serial, root, next, namespaces }: RootReport): LabelledLine[] => [
  ['root', `${origin}, statement ${serial}`],
  ['  key', withPlace(root)],
  ['  next key', withPlace(next)],
  ...namespaces.flatMap((one): LabelledLine[] => [
    ['namespace', one.namespace],
    ['  signed by', `${withPlace(one)}, until ${one.notAfter}`],
  ]),
];

const withPlace = ({ id, here }: NamedKey): string => (here ? id : `${id} (kept elsewhere)`);

const publicHalf = ({ id, jwk }: StoredKey): { id: KeyId; key: PublicKey } => ({ id, key: jwk.x as PublicKey });

const ofWhat = ({ purpose }: StoredKey): string => {
  if (purpose.kind === 'namespace') return purpose.namespace;
  return purpose.kind === 'root' ? `the root of ${purpose.origin}` : 'the node';
};
