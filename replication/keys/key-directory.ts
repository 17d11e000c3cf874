import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digestOfText } from '../../wlis/trust/digest.js';
import type { Json } from '../../wlis/trust/canonical-json.js';
import { newPrivateJwk } from '../../wlis/trust/jws.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { openRootChain, rootChainText, type RootChain } from '../../wlis/trust/root-chain.js';
import { KeyFileError } from './key-file-error.js';
import { createPrivateFile, isPrivateDirectory, makePrivateDirectory, readPrivateFile } from './private-file.js';
import { isSamePurpose, keyFileName, keyJson, parseStoredKey, type KeyPurpose, type StoredKey } from './stored-key.js';

/**
 * The keys of a node, and the root statements that it may serve or go on from, in `node.data`. No file is ever overwritten.
 *
 *     node.jwk                       who this node is
 *     namespace-<key id>.jwk         signs for a namespace
 *     names-<key id>.jwk             gives names to namespaces
 *     root-<key id>.jwk              signs root statements; may be kept elsewhere
 *     root-<digest>-<serial>.json    the whole chain of an origin up to that serial; the highest counts
 */
export class KeyDirectory {
  readonly path: string;

  /** @param data `node.data` */
  constructor(data: string) {
    this.path = join(data, 'keys');
  }

  /** The key of the node, made if there is none. @throws KeyFileError */
  async nodeKey(): Promise<StoredKey> {
    return (await this.#read('node.jwk')) ?? (await this.make({ kind: 'node' }));
  }

  /** A new key; for a node, the one that another process made meanwhile. @throws KeyFileError */
  async make(purpose: KeyPurpose): Promise<StoredKey> {
    const jwk = await newPrivateJwk();
    const key: StoredKey = { purpose, jwk, id: keyIdOf(jwk.x as PublicKey) };
    if (this.#create(keyFileName(key), keyText(key))) return key;
    const other = await this.#read(keyFileName(key));
    if (other === null) throw new KeyFileError(`${this.path}: ${keyFileName(key)} came and went`);
    return other;
  }

  /** Keeps a key that came from elsewhere. @returns false if it is there already @throws KeyFileError for another one */
  async add(key: StoredKey): Promise<boolean> {
    const there = await this.find(key);
    if (there !== null) return false;
    if (this.#create(keyFileName(key), keyText(key))) return true;
    return this.add(key);
  }

  /** The key of that name and purpose, null if it is not here. @throws KeyFileError if its place has another one */
  async find({ purpose, id }: Pick<StoredKey, 'purpose' | 'id'>): Promise<StoredKey | null> {
    const name = keyFileName({ purpose, id });
    const key = await this.#read(name);
    if (key === null) return null;
    if (key.id === id && isSamePurpose(key.purpose, purpose)) return key;
    throw new KeyFileError(`${join(this.path, name)}: there is another key, ${key.id}`);
  }

  /** All keys, in the order of their files. @throws KeyFileError */
  async keys(): Promise<StoredKey[]> {
    const keys: StoredKey[] = [];
    for (const name of this.#names()) {
      const key = name.endsWith('.jwk') ? await this.#read(name) : null;
      if (key !== null) keys.push(key);
    }
    return keys;
  }

  /** The chains of all origins. @throws KeyFileError */
  async chains(): Promise<RootChain[]> {
    const labels = new Set(this.#chainFiles().map(({ label }) => label));
    return Promise.all([...labels].map((label) => this.#newestChain(label)));
  }

  /** What the authority has stated so far, nothing if that is not known here. @throws KeyFileError */
  chain(origin: string): Promise<RootChain> {
    return this.#newestChain(labelOf(origin));
  }

  /** Keeps a chain that goes on from the one that is here. @throws KeyFileError if another process was faster */
  keepChain(chain: RootChain): void {
    const newest = chain.at(-1)?.statement;
    if (newest === undefined) return;
    const label = labelOf(newest.origin);
    const name = chainFileName(label, newest.serial);
    const text = JSON.stringify({ origin: newest.origin, chain: rootChainText(chain) });
    if (!this.#create(name, `${text}\n`)) throw this.#madeMeanwhile(name);
    const others = this.#chainFiles().filter((file) => file.label === label && file.serial !== newest.serial);
    if (others.some(({ serial }) => serial > newest.serial)) {
      // the place was free because others have gone on from there
      this.#remove(name);
      throw this.#madeMeanwhile(name);
    }
    for (const { serial } of others) this.#remove(chainFileName(label, serial));
  }

  #madeMeanwhile(name: string): KeyFileError {
    return new KeyFileError(`${join(this.path, name)}: it was made meanwhile; try again`);
  }

  #remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }

  async #read(name: string): Promise<StoredKey | null> {
    const text = this.#text(name, longestKey);
    if (text === null) return null;
    const key = await this.#parsed(name, () => parseStoredKey(JSON.parse(text) as Json));
    if (keyFileName(key) === name) return key;
    throw new KeyFileError(`${join(this.path, name)}: it has the key of ${keyFileName(key)}`);
  }

  async #newestChain(label: string): Promise<RootChain> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const serials = this.#chainFiles().flatMap((file) => (file.label === label ? [file.serial] : []));
      if (serials.length === 0) return [];
      const name = chainFileName(label, Math.max(...serials));
      const text = this.#text(name, longestChain);
      // otherwise another process has put a newer one in its place; nobody may take that for none at all
      if (text !== null) return this.#parsed(name, () => openedChain(text, name));
    }
    throw new KeyFileError(`${this.path}: the root chain is being changed; try again`);
  }

  async #parsed<T>(name: string, parse: () => Promise<T>): Promise<T> {
    try {
      return await parse();
    } catch (cause) {
      // what a parser says of the text may have something of the secret in it
      if (cause instanceof SyntaxError) throw new KeyFileError(`${join(this.path, name)}: damaged: no JSON`);
      if (!(cause instanceof NotBelieved)) throw cause;
      throw new KeyFileError(`${join(this.path, name)}: damaged: ${cause.message}`, { cause });
    }
  }

  #text(name: string, longest: number): string | null {
    return isPrivateDirectory(this.path) ? readPrivateFile(join(this.path, name), longest) : null;
  }

  #create(name: string, text: string): boolean {
    try {
      makePrivateDirectory(this.path);
      return createPrivateFile(join(this.path, name), text);
    } catch (cause) {
      if (cause instanceof KeyFileError) throw cause;
      throw new KeyFileError(`${join(this.path, name)}: ${(cause as Error).message}`, { cause });
    }
  }

  #names(): string[] {
    return isPrivateDirectory(this.path) ? readdirSync(this.path).sort() : [];
  }

  #chainFiles(): { readonly label: string; readonly serial: number }[] {
    return this.#names().flatMap((name) => {
      const [, label, serial] = /^root-([0-9a-f]{16})-([1-9]\d{0,14})\.json$/.exec(name) ?? [];
      return label === undefined ? [] : [{ label, serial: Number(serial) }];
    });
  }
}

async function openedChain(text: string, name: string): Promise<RootChain> {
  const members = new Members(JSON.parse(text) as Json, 'root chain');
  const origin = members.text('origin', 512);
  const chain = await openRootChain(members.text('chain', longestChain), origin);
  members.end();
  if (chainFileName(labelOf(origin), chain.at(-1)?.statement.serial ?? 0) === name) return chain;
  throw new NotBelieved('wrong-subject', 'root chain: not of the origin and serial that the name of the file says');
}

/** For messages: where a key of that name would be. */
export const placeOfKey = (directory: KeyDirectory, purpose: KeyPurpose, id: KeyId): string =>
  join(directory.path, keyFileName({ purpose, id }));

const keyText = (key: StoredKey): string => `${JSON.stringify(keyJson(key), null, 2)}\n`;

const labelOf = (origin: string): string => digestOfText(origin).slice(0, 16);

const chainFileName = (label: string, serial: number): string => `root-${label}-${serial}.json`;

const longestKey = 65_536;
/** Of which half is the escaping of quotation marks, at most. */
const longestChain = 16_777_216;
