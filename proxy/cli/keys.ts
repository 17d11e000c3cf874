import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { milliseconds, type EpochMs, type Milliseconds } from '../../config/units.js';
import { delegate, foundNamespace, rotateRoot } from '../../replication/keys/authority.js';
import { backupText, parseBackup, restore } from '../../replication/keys/key-backup.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { KeyFileError } from '../../replication/keys/key-file-error.js';
import { createPrivateFile } from '../../replication/keys/private-file.js';
import { originOf, parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { keyIdOf, parsePublicKey, type PublicKey } from '../../wlis/trust/public-key.js';
import type { RootChain } from '../../wlis/trust/root-chain.js';
import { isSystemError, openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { keysReport, keysText } from './keys-text.js';
import type { SecretInput } from './secret-input.js';

/** Whose keys are meant. */
export interface KeysOptions {
  /** The configuration that names `node.data`. */
  readonly config?: string;
  /** `node.data`, in place of a configuration. */
  readonly directory?: string;
}

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

/** Why nothing was done. */
class Refused extends Error {
  constructor(
    message: string,
    readonly code: ExitCode = exitCodes.failure,
  ) {
    super(message);
  }
}

async function withKeys(
  options: KeysOptions,
  console: Console,
  action: (directory: KeyDirectory) => Promise<void>,
): Promise<ExitCode> {
  try {
    const data = dataDirectory(options, console);
    checkOwner(data);
    await action(new KeyDirectory(data));
    return exitCodes.ok;
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.err(`willis keys: ${error.message}\n`);
    return error instanceof Refused ? error.code : exitCodes.failure;
  }
}

const isExpected = (error: unknown): error is Error =>
  error instanceof Refused || error instanceof KeyFileError || error instanceof NotBelieved || isSystemError(error);

function dataDirectory({ directory, config }: KeysOptions, console: Console): string {
  if (directory !== undefined) return resolve(console.directory, directory);
  const opened = openConfig(config, console);
  if (opened === null)
    throw new Refused('give --directory, or a configuration that can stand', exitCodes.configuration);
  return opened.config.node.data;
}

/** What another user writes there, the node could not read afterwards. */
function checkOwner(data: string): void {
  const self = process.getuid?.();
  const owner = statSync(data, { throwIfNoEntry: false })?.uid;
  if (self === undefined || owner === undefined || self === owner) return;
  throw new Refused(`${data} belongs to the user ${owner}: run this as that user, not as ${self}`);
}

function namespaceOf(text: string): Namespace {
  try {
    return parseNamespace(text);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new Refused(`${JSON.stringify(text)} is no namespace: ${error.message}`);
  }
}

function lifetime(days = '400'): Milliseconds {
  const count = /^\d{1,5}$/.test(days) ? Number(days) : 0;
  if (count < 1) throw new Refused(`--days: expected a number from 1 to 99999, got ${JSON.stringify(days)}`);
  return milliseconds(count * 86_400_000);
}

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
