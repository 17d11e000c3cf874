import type { Json } from '../../wlis/trust/canonical-json.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { openRootChain, rootChainText, type RootChain } from '../../wlis/trust/root-chain.js';
import type { KeyDirectory } from './key-directory.js';
import { KeyFileError } from './key-file-error.js';
import { keyJson, parseStoredKey, type StoredKey } from './stored-key.js';

/** What goes from one directory of keys to another. */
export interface KeyBackup {
  readonly keys: readonly StoredKey[];
  readonly chains: readonly RootChain[];
}

/** How much of a back-up was new. */
export interface Restored {
  readonly keys: number;
  readonly chains: number;
}

export const backupText = ({ keys, chains }: KeyBackup): string =>
  `${JSON.stringify(
    {
      willis: format,
      keys: keys.map(keyJson),
      roots: chains.map((chain) => ({ origin: chain[0]?.statement.origin, chain: rootChainText(chain) })),
    },
    null,
    2,
  )}\n`;

/** @throws KeyFileError for what is no back-up; nothing of a secret is in the message */
export async function parseBackup(text: string, name: string): Promise<KeyBackup> {
  if (text.length > longest) throw new KeyFileError(`${name}: longer than ${longest} characters`);
  try {
    const members = new Members(JSON.parse(text) as Json, 'back-up');
    members.word('willis', format);
    const keys = await Promise.all(members.list('keys', most).map(parseStoredKey));
    const chains = await Promise.all(members.list('roots', most).map(parseRoot));
    members.end();
    return { keys, chains };
  } catch (cause) {
    // what a parser says of the text may have something of a secret in it
    if (cause instanceof SyntaxError) throw new KeyFileError(`${name}: no back-up of keys: no JSON`);
    if (!(cause instanceof NotBelieved)) throw cause;
    throw new KeyFileError(`${name}: no back-up of keys: ${cause.message}`, { cause });
  }
}

/**
 * Adds what is not there. Who the node is stays, where it is somebody: what signs for a namespace may come to another node. What
 * contradicts another key or chain that is there is found before anything is written.
 * @throws KeyFileError
 */
export async function restore(directory: KeyDirectory, backup: KeyBackup): Promise<Restored> {
  const { chains } = backup;
  const isSomebody = (await directory.keys()).some(({ purpose }) => purpose.kind === 'node');
  const keys = backup.keys.filter(({ purpose }) => purpose.kind !== 'node' || !isSomebody);
  for (const key of keys) await directory.find(key);
  const longer: RootChain[] = [];
  for (const chain of chains) if (await isLonger(directory, chain)) longer.push(chain);
  let added = 0;
  for (const key of keys) if (await directory.add(key)) added++;
  for (const chain of longer) directory.keepChain(chain);
  return { keys: added, chains: longer.length };
}

async function isLonger(directory: KeyDirectory, chain: RootChain): Promise<boolean> {
  const { origin } = chain[0]?.statement ?? { origin: '' };
  const known = await directory.chain(origin);
  const common = Math.min(known.length, chain.length) - 1;
  if (common >= 0 && known[common]?.digest !== chain[common]?.digest) {
    throw new KeyFileError(`${directory.path}: there is another root of ${origin}, which the back-up contradicts`);
  }
  return chain.length > known.length;
}

function parseRoot(value: Json): Promise<RootChain> {
  const members = new Members(value, 'back-up: root');
  const [origin, chain] = [members.text('origin', 512), members.text('chain', longest)];
  members.end();
  return openRootChain(chain, origin);
}

const format = 'keys/1';
const most = 4096;
const longest = 67_108_864;
