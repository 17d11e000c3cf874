import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { EpochMs } from '../../config/units.js';
import { delegate, foundNamespace, rotateRoot } from '../../replication/keys/authority.js';
import { backupText, parseBackup, restore } from '../../replication/keys/key-backup.js';
import { createPrivateFile } from '../../replication/keys/private-file.js';
import { originOf, type Namespace } from '../../wlis/namespace.js';
import { keyIdOf, parsePublicKey, type PublicKey } from '../../wlis/trust/public-key.js';
import type { RootChain } from '../../wlis/trust/root-chain.js';
import type { Console, ExitCode } from './console.js';
import { keysReport, keysText } from './keys-text.js';
import type { SecretInput } from './secret-input.js';
import { lifetime, namespaceOf, Refused, withKeys, type KeysOptions } from './with-keys.js';

/** `willis keys list`: what keys are here, and what the roots say. */
export const listKeys = (options: KeysOptions & { readonly json?: boolean }, console: Console): Promise<ExitCode> =>
  withKeys(options, console, async (directory) => {
    const report = keysReport(await directory.keys(), await directory.chains());
    console.out(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : keysText(report, directory.path));
  });

export interface NewKeyOptions extends KeysOptions {
  readonly days?: string;
  /** Only make a key, which a root that is elsewhere is to name. */
  readonly keyOnly?: boolean;
}

/** `willis keys new`: makes what a primary of the namespace needs. */
export const newKeys = (uri: string, options: NewKeyOptions, console: Console, now: EpochMs): Promise<ExitCode> =>
  withKeys(options, console, async (directory) => {
    const namespace = namespaceOf(uri);
    const days = lifetime(options.days);
    await directory.nodeKey();
    if (options.keyOnly === true) {
      const { jwk } = await directory.make({ kind: 'namespace', namespace });
      console.err(`There is a key for ${namespace}, which signs once its root says so:\n`);
      console.err(`willis keys delegate ${namespace} ${jwk.x}\n`);
      console.out(`${jwk.x}\n`);
      return;
    }
    const before = await directory.chain(originOf(namespace));
    const chain = await foundNamespace(directory, namespace, now, days);
    if (before.length === 0) console.err(`A root of ${originOf(namespace)} is begun.\n`);
    if (chain.length === before.length) console.err('Nothing has changed: its root names a key already.\n');
    console.err(signedBy(chain, namespace));
  });

export interface DelegateOptions extends KeysOptions {
  readonly days?: string;
}

/** `willis keys delegate`: lets the root name a key for the namespace, the present one for longer if none is given. */
export const delegateKey = (
  uri: string,
  given: string | undefined,
  options: DelegateOptions,
  console: Console,
  now: EpochMs,
): Promise<ExitCode> =>
  withKeys(options, console, async (directory) => {
    const namespace = namespaceOf(uri);
    const days = lifetime(options.days);
    const chain = await directory.chain(originOf(namespace));
    if (chain.length === 0) {
      throw new Refused(`${directory.path} has no root of ${originOf(namespace)}: willis keys new ${namespace}`);
    }
    const key = given === undefined ? signerIn(chain, namespace)?.key : parsePublicKey(given, 'key');
    if (key === undefined) throw new Refused(`its root does not name ${namespace} yet: say which key is to sign`);
    console.err(signedBy(await delegate(directory, namespace, key, now, days), namespace));
  });

/** `willis keys rotate-root`: the next root key takes its place. */
export const rotateRootKey = (uri: string, options: KeysOptions, console: Console, now: EpochMs): Promise<ExitCode> =>
  withKeys(options, console, async (directory) => {
    const origin = originOf(namespaceOf(uri.endsWith('/') ? uri : `${uri}/`));
    const newest = (await rotateRoot(directory, origin, now)).at(-1)?.statement;
    if (newest === undefined) return;
    console.err(`The root key of ${origin} is now ${keyIdOf(newest.rootKey)}, the next one ${newest.nextRootKey}.\n`);
  });

export interface ExportOptions extends KeysOptions {
  /** Without the keys themselves: only what roots have stated. */
  readonly public?: boolean;
}

/** `willis keys export`: a back-up of all keys. */
export const exportKeys = (file: string, options: ExportOptions, console: Console): Promise<ExitCode> =>
  withKeys(options, console, async (directory) => {
    const keys = await directory.keys();
    const chains = await directory.chains();
    if (keys.length === 0 && chains.length === 0) throw new Refused(`there are no keys in ${directory.path}`);
    const isPublic = options.public === true;
    const text = backupText({ keys: isPublic ? [] : keys, chains });
    if (file === '-') {
      console.out(text);
      return;
    }
    const path = resolve(console.directory, file);
    if (!createPrivateFile(path, text)) throw new Refused(`${path}: there is such a file already`);
    const what = isPublic ? '' : `${keys.length} keys and `;
    console.err(`${path} has ${what}${chains.length} roots.${isPublic ? '' : ' Whoever has it can sign as you.'}\n`);
  });

/** `willis keys import`: brings back what `export` has written. */
export const importKeys = (
  file: string,
  options: KeysOptions,
  console: Console,
  input: SecretInput,
): Promise<ExitCode> =>
  withKeys(options, console, async (directory) => {
    const path = resolve(console.directory, file);
    const text = file === '-' ? await input.all() : readFileSync(path, 'utf8');
    const { keys, chains } = await restore(directory, await parseBackup(text, file === '-' ? 'standard input' : path));
    console.err(`${keys} keys and ${chains} roots are new in ${directory.path}.\n`);
  });

const signerIn = (chain: RootChain, namespace: Namespace): { key: PublicKey; notAfter: EpochMs } | undefined =>
  chain
    .at(-1)
    ?.statement.namespaces.find((one) => one.namespace === namespace)
    ?.signers.at(-1);

function signedBy(chain: RootChain, namespace: Namespace): string {
  const signer = signerIn(chain, namespace);
  if (signer === undefined) return '';
  return `${namespace} is signed by ${keyIdOf(signer.key)} until ${new Date(signer.notAfter).toISOString()}.\n`;
}
