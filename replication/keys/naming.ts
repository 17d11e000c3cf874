import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { epochMs, type EpochMs, type Milliseconds } from '../../config/units.js';
import { publishedNames } from '../../wlis/directory/name-files.js';
import type { Namespace } from '../../wlis/namespace.js';
import { openSigningKey } from '../../wlis/trust/jws.js';
import { openName, signName, type SignedName } from '../../wlis/trust/name-statement.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { keyIdOf, type KeyId } from '../../wlis/trust/public-key.js';
import type { KeyDirectory } from './key-directory.js';
import { KeyFileError } from './key-file-error.js';
import type { StoredKey } from './stored-key.js';

/**
 * The key that gives names here, made if there is none yet.
 * @param wanted which one, where there are several; null where that is not said
 * @throws KeyFileError if it is not here, or nobody knows which one is meant
 */
export async function namingKey(directory: KeyDirectory, wanted: KeyId | null): Promise<StoredKey> {
  if (wanted !== null) {
    const key = await directory.find({ purpose: { kind: 'names' }, id: wanted });
    if (key === null) throw new KeyFileError(`${directory.path}: there is no naming key ${wanted}`);
    return key;
  }
  const [key, ...others] = (await directory.keys()).filter(({ purpose }) => purpose.kind === 'names');
  if (others.length > 0) throw new KeyFileError(`${directory.path}: there are several naming keys: say which by --key`);
  return key ?? directory.make({ kind: 'names' });
}

export interface GivenName {
  readonly name: string;
  /** Null if it is to stand for nothing any more. */
  readonly namespace: Namespace | null;
  readonly now: EpochMs;
  readonly lifetime: Milliseconds;
}

/**
 * Signs what a name stands for, and puts the statement where a directory takes it from to publish it. It is later than the one
 * that was there, if it is of the same key.
 * @param data `node.data`
 * @returns the statement, and the file in which it is
 * @throws KeyFileError, NotBelieved for a name that there cannot be
 */
export async function giveName(
  data: string,
  { jwk, id }: StoredKey,
  { name, namespace, now, lifetime }: GivenName,
): Promise<SignedName & { readonly path: string }> {
  const path = join(publishedNames(data), `${name.replace('*', '%2A')}.jws`);
  const before = await statementIn(path);
  const previous = before !== null && keyIdOf(before.statement.key) === id ? before.statement.serial : 0;
  const issued = epochMs(Math.trunc(now));
  const serial = Math.max(previous + 1, issued);
  const expires = epochMs(Math.trunc(now + lifetime));
  const signed = await signName({ name, namespace, serial, issued, expires }, await openSigningKey(jwk));
  try {
    mkdirSync(publishedNames(data), { recursive: true });
    writeFileSync(`${path}.tmp`, `${signed.jws}\n`, { flush: true });
    renameSync(`${path}.tmp`, path);
  } catch (cause) {
    throw new KeyFileError(`${path}: ${(cause as Error).message}`, { cause });
  }
  return { ...signed, path };
}

/** Null for none, and for what is none, which is replaced. */
async function statementIn(path: string): Promise<SignedName | null> {
  try {
    return await openName(readFileSync(path, 'utf8').trim());
  } catch (error) {
    if (error instanceof NotBelieved || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new KeyFileError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
