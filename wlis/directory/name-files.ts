import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../proxy/base/logger.js';
import type { SignedName } from '../trust/name-statement.js';
import { digestOfText } from '../trust/digest.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import type { SignedNames } from './signed-names.js';

/** Where an operator puts statements that his directory is to publish: a file each, `*.jws`. */
export const publishedNames = (data: string): string => join(data, 'names');

const mostFiles = 10_000;
const longest = 32_768;

/** Statements of names on disk: those that the operator has put there, and those that were learned. Nothing of it throws. */
export class NameFiles {
  readonly #published: string;
  readonly #learned: string;
  readonly #names: SignedNames;
  readonly #refusals: DirectoryRefusals;
  readonly #logger: Logger;
  /** What was read of each file; it is read again when that changes. */
  readonly #read = new Map<string, string>();
  /** What is in the files of what was learned. */
  readonly #kept = new Map<string, string>();
  #turn: Promise<void> = Promise.resolve();

  /** @param data `node.data` */
  constructor(data: string, names: SignedNames, refusals: DirectoryRefusals, logger: Logger) {
    this.#published = publishedNames(data);
    this.#learned = join(data, 'directory', 'names');
    this.#names = names;
    this.#refusals = refusals;
    this.#logger = logger;
  }

  /** Reads what is there, but for what was read before and is the same. */
  read(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#readAll(this.#learned);
      await this.#readAll(this.#published);
    });
  }

  /** The same of all that is there: what was not believed before may be believed now. */
  readAnew(): Promise<void> {
    void this.#inTurn(() => {
      this.#read.clear();
      return Promise.resolve();
    });
    return this.read();
  }

  /** Remembers what was learned, or forgets it. */
  keep(key: string, name: SignedName | null): void {
    const path = join(this.#learned, `${digestOfText(key).slice(0, 32)}.jws`);
    if (name !== null && this.#kept.get(path) === name.jws) return;
    void this.#inTurn(async () => {
      if (name === null) {
        this.#kept.delete(path);
        await rm(path, { force: true });
        return;
      }
      await mkdir(this.#learned, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.tmp`, name.jws, { mode: 0o600 });
      await rename(`${path}.tmp`, path);
      this.#kept.set(path, name.jws);
    });
  }

  /** Waits until nothing is being read or written. */
  settled(): Promise<void> {
    return this.#turn;
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(action).catch((error: unknown) => {
      const event = { code: 'names-unwell', path: this.#learned, error };
      this.#logger.warn(event, 'names cannot be read or written: what is learned is lost when the node ends');
    });
    return this.#turn;
  }

  async #readAll(directory: string): Promise<void> {
    const names = await readdir(directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    for (const name of names.filter((one) => one.endsWith('.jws')).slice(0, mostFiles)) {
      await this.#readOne(join(directory, name));
    }
  }

  async #readOne(path: string): Promise<void> {
    try {
      const { size, mtimeMs } = await stat(path);
      const state = `${size} ${mtimeMs}`;
      if (this.#read.get(path) === state) return;
      this.#read.set(path, state);
      if (size > longest) throw new Error(`it is longer than ${longest}`);
      const jws = (await readFile(path, 'utf8')).trim();
      this.#kept.set(path, jws);
      await this.#names.take(jws);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      if (this.#refusals.note('a name', path, error)) return;
      this.#logger.warn({ code: 'name-unread', path, error }, 'a statement of a name cannot be read');
    }
  }
}
