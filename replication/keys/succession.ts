import type { EpochMs, Milliseconds } from '../../config/units.js';
import { originOf, type Namespace } from '../../wlis/namespace.js';
import { openSigningKey } from '../../wlis/trust/jws.js';
import { keyIdOf, type PublicKey } from '../../wlis/trust/public-key.js';
import type { RootChain } from '../../wlis/trust/root-chain.js';
import { signerFor } from '../../wlis/trust/root-statement.js';
import { delegate } from './authority.js';
import type { KeyDirectory } from './key-directory.js';
import { KeyFileError } from './key-file-error.js';

/**
 * How this node can sign for a namespace in the place of another one (protocol decision 11): `root`: it has the root key, so that
 * it can name a new key, and what the other one signs counts no more; `namespace`: it has the key of the other one.
 */
export type Succession = 'root' | 'namespace';

/**
 * What the keys that are here are good for, by the newest root statement that is known.
 * @param known the chain as it was learned from others
 * @throws KeyFileError which says what is wanting
 */
export async function successionOf(
  directory: KeyDirectory,
  namespace: Namespace,
  known: RootChain,
  now: EpochMs,
): Promise<Succession> {
  const origin = originOf(namespace);
  const statement = (await newestOf(directory, origin, known)).at(-1)?.statement;
  if (statement === undefined) throw new KeyFileError(`no root statement of ${origin} is known here`);
  const rootId = keyIdOf(statement.rootKey);
  const rootKey = await directory.find({ purpose: { kind: 'root', origin }, id: rootId });
  if (rootKey !== null) return 'root';
  const signer = signerFor(statement, namespace, now);
  const wantsRoot = `the root key ${rootId} of ${origin}`;
  const howTo = `(willis keys export where it is, willis keys import here)`;
  if (signer === null) {
    throw new KeyFileError(
      `the root names no key for ${namespace} at present: ${wantsRoot} is wanted in ${directory.path} ${howTo}`,
    );
  }
  const id = keyIdOf(signer.key);
  const key = await directory.find({ purpose: { kind: 'namespace', namespace }, id });
  if (key !== null) return 'namespace';
  throw new KeyFileError(`${directory.path} has neither ${wantsRoot} nor the key ${id} of ${namespace} ${howTo}`);
}

/**
 * Takes the place of whoever has signed for the namespace so far: by a new key, where the root key is here.
 * @param lifetime how long the root trusts that key
 * @throws KeyFileError
 */
export async function succeed(
  directory: KeyDirectory,
  namespace: Namespace,
  known: RootChain,
  { now, lifetime }: { readonly now: EpochMs; readonly lifetime: Milliseconds },
): Promise<Succession> {
  const succession = await successionOf(directory, namespace, known, now);
  const own = await directory.chain(originOf(namespace));
  if (known.length > own.length) directory.keepChain(known);
  if (succession === 'namespace') return succession;
  const key = await directory.make({ kind: 'namespace', namespace });
  // what cannot sign would be found out only after the delegation
  await openSigningKey(key.jwk);
  await delegate(directory, namespace, key.jwk.x as PublicKey, now, lifetime);
  return succession;
}

/** Of what is here and what was learned from others. */
async function newestOf(directory: KeyDirectory, origin: string, known: RootChain): Promise<RootChain> {
  const own = await directory.chain(origin);
  const common = Math.min(own.length, known.length) - 1;
  if (common >= 0 && own[common]?.digest !== known[common]?.digest) {
    throw new KeyFileError(`${directory.path} has another root of ${origin} than the one that others know`);
  }
  return own.length > known.length ? own : known;
}
