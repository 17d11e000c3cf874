import type { EpochMs, Milliseconds } from '../../config/units.js';
import { epochMs } from '../../config/units.js';
import { originOf, type Namespace } from '../../wlis/namespace.js';
import { openSigningKey, type SigningKey } from '../../wlis/trust/jws.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { signRoot, type RootChain } from '../../wlis/trust/root-chain.js';
import { signerFor, type RootStatement, type StatedNamespace } from '../../wlis/trust/root-statement.js';
import { placeOfKey, type KeyDirectory } from './key-directory.js';
import { KeyFileError } from './key-file-error.js';
import type { StoredKey } from './stored-key.js';

/**
 * Makes the keys that a primary of the namespace needs, as far as its root does not name them yet: a root for its origin, a
 * key for the namespace, and a statement that names it.
 * @param lifetime how long the root trusts the key of the namespace
 * @returns the chain, the same as before if the root names a signer already
 * @throws KeyFileError if the root key is kept elsewhere
 */
export async function foundNamespace(
  directory: KeyDirectory,
  namespace: Namespace,
  now: EpochMs,
  lifetime: Milliseconds,
): Promise<RootChain> {
  const chain = await directory.chain(originOf(namespace));
  if (statedIn(chain, namespace) !== undefined) return chain;
  const unused = (await directory.keys()).find(({ purpose }) => isFor(purpose, namespace));
  const key = unused ?? (await directory.make({ kind: 'namespace', namespace }));
  return delegate(directory, namespace, key.jwk.x as PublicKey, now, lifetime);
}

/**
 * States that this key signs for the namespace, in place of the one before. A namespace or root that nobody has heard of is
 * begun thereby.
 * @throws KeyFileError if the root key is kept elsewhere
 */
export async function delegate(
  directory: KeyDirectory,
  namespace: Namespace,
  key: PublicKey,
  now: EpochMs,
  lifetime: Milliseconds,
): Promise<RootChain> {
  const origin = originOf(namespace);
  const chain = await directory.chain(origin);
  const before = statedIn(chain, namespace);
  const serial = (before?.signers.at(-1)?.serial ?? 0) + 1;
  const stated: StatedNamespace = {
    namespace,
    signers: [{ key, serial, notAfter: epochMs(Math.trunc(now + lifetime)) }],
    aliases: before?.aliases ?? [],
  };
  const others = (chain.at(-1)?.statement.namespaces ?? []).filter((one) => one !== before);
  const namespaces = [...others, stated].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  const root = await rootKeyOf(directory, origin, chain);
  const nextRootKey = chain.at(-1)?.statement.nextRootKey ?? (await directory.make({ kind: 'root', origin })).id;
  return proclaim(directory, chain, { namespaces, nextRootKey, now, keys: [root] });
}

/**
 * Puts the next root key in the place of the present one, and names a new one for the next time.
 * @throws KeyFileError if either is kept elsewhere, or there is no root
 */
export async function rotateRoot(directory: KeyDirectory, origin: string, now: EpochMs): Promise<RootChain> {
  const chain = await directory.chain(origin);
  const newest = chain.at(-1)?.statement;
  if (newest === undefined) throw new KeyFileError(`${directory.path}: there is no root of ${origin}`);
  const before = await rootKey(directory, origin, keyIdOf(newest.rootKey));
  const root = await rootKey(directory, origin, newest.nextRootKey);
  const nextRootKey = (await directory.make({ kind: 'root', origin })).id;
  return proclaim(directory, chain, { namespaces: newest.namespaces, nextRootKey, now, keys: [root, before] });
}

/** The key with which this node signs for a namespace, or why it may not, in words that say what to do. */
export async function namespaceSigner(
  directory: KeyDirectory,
  namespace: Namespace,
  now: EpochMs,
): Promise<SigningKey | string> {
  const statement = (await directory.chain(originOf(namespace))).at(-1)?.statement;
  const stated = statement?.namespaces.find((one) => one.namespace === namespace)?.signers.at(-1);
  if (statement === undefined || stated === undefined)
    return `no root statement in ${directory.path} names ${namespace}`;
  const signer = signerFor(statement, namespace, now);
  if (signer === null) {
    return `the root trusted the key of ${namespace} until ${new Date(stated.notAfter).toISOString()}: willis keys delegate ${namespace}`;
  }
  const id = keyIdOf(signer.key);
  const key = await directory.find({ purpose: { kind: 'namespace', namespace }, id });
  return key === null ? `the root names the key ${id} for ${namespace}, which is not in ${directory.path}` : open(key);
}

interface Proclamation extends Pick<RootStatement, 'namespaces' | 'nextRootKey'> {
  readonly now: EpochMs;
  /** The root key; behind it the one before if that was another. */
  readonly keys: readonly SigningKey[];
}

async function proclaim(
  directory: KeyDirectory,
  chain: RootChain,
  { namespaces, nextRootKey, now, keys }: Proclamation,
): Promise<RootChain> {
  const [root] = keys as readonly [SigningKey, ...SigningKey[]];
  const [first] = namespaces;
  const origin = chain[0]?.statement.origin ?? originOf((first as StatedNamespace).namespace);
  const issued = epochMs(Math.trunc(now));
  const serial = chain.length + 1;
  const statement = { origin, serial, issued, rootKey: root.publicKey, nextRootKey, namespaces };
  const longer = await signRoot(statement, chain, keys);
  directory.keepChain(longer);
  return longer;
}

/** The key that signs for the origin at present, made if there is no root yet. */
async function rootKeyOf(directory: KeyDirectory, origin: string, chain: RootChain): Promise<SigningKey> {
  const newest = chain.at(-1)?.statement;
  if (newest === undefined) return open(await directory.make({ kind: 'root', origin }));
  return rootKey(directory, origin, keyIdOf(newest.rootKey));
}

async function rootKey(directory: KeyDirectory, origin: string, id: KeyId): Promise<SigningKey> {
  const key = await directory.find({ purpose: { kind: 'root', origin }, id });
  if (key !== null) return open(key);
  const place = placeOfKey(directory, { kind: 'root', origin }, id);
  throw new KeyFileError(
    `${place}: a root key of ${origin} that is kept elsewhere; run this where it is, or bring it back`,
  );
}

const open = ({ jwk }: StoredKey): Promise<SigningKey> => openSigningKey(jwk);

const statedIn = (chain: RootChain, namespace: Namespace): StatedNamespace | undefined =>
  chain.at(-1)?.statement.namespaces.find((one) => one.namespace === namespace);

const isFor = (purpose: StoredKey['purpose'], namespace: Namespace): boolean =>
  purpose.kind === 'namespace' && purpose.namespace === namespace;
