import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { epochMs, type EpochMs } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import { namespaceLabel, parseNamespace, type Namespace } from '../namespace.js';
import { canonicalJson, parseCanonicalJson } from '../trust/canonical-json.js';
import { Members } from '../trust/members.js';

/** What is remembered of a namespace. Its statements are verified anew when they are read. */
export interface RememberedNamespace {
  readonly namespace: Namespace;
  readonly group: string;
  readonly learned: EpochMs;
  readonly head: string | null;
  readonly used: EpochMs;
}

/** What a node remembers of namespaces, a file each. Nothing of it throws: what cannot be kept is known until the node ends. */
export class DirectoryFiles {
  readonly #directory: string;
  readonly #logger: Logger;
  /** One after the other, for each namespace. */
  readonly #writing = new Map<Namespace, Promise<void>>();
  #isUnwell = false;

  /** @param directory made when it is needed */
  constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
  }

  async read(): Promise<readonly RememberedNamespace[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      this.#failed('read', error);
      return [];
    });
    const all: RememberedNamespace[] = [];
    const queue = names.filter((one) => isName.test(one)).values();
    const worker = async (): Promise<void> => {
      for (const name of queue) {
        const one = await this.#readOne(name);
        if (one !== null) all.push(one);
      }
    };
    await Promise.all(Array.from({ length: readAtOnce }, worker));
    return all;
  }

  write(one: RememberedNamespace): Promise<void> {
    return this.#inTurn(one.namespace, async () => {
      const path = this.#path(one.namespace);
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.tmp`, canonicalJson({ ...one }), { mode: 0o600, flush: true });
      await rename(`${path}.tmp`, path);
    });
  }

  forget(namespace: Namespace): Promise<void> {
    return this.#inTurn(namespace, () => rm(this.#path(namespace), { force: true }));
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  #inTurn(namespace: Namespace, action: () => Promise<void>): Promise<void> {
    const done = (this.#writing.get(namespace) ?? Promise.resolve())
      .then(action)
      .then(() => void (this.#isUnwell = false))
      .catch((error: unknown) => this.#failed('written', error))
      .finally(() => {
        if (this.#writing.get(namespace) === done) this.#writing.delete(namespace);
      });
    this.#writing.set(namespace, done);
    return done;
  }

  async #readOne(name: string): Promise<RememberedNamespace | null> {
    const path = join(this.#directory, name);
    try {
      const what = 'remembered namespace';
      const members = new Members(parseCanonicalJson(await readFile(path, 'utf8'), what, longest), what);
      const head = members.value('head');
      const one = {
        namespace: parseNamespace(members.text('namespace', 16_384)),
        group: members.text('group', longest),
        learned: epochMs(members.integer('learned', 0)),
        head: head === null ? null : members.text('head', longest),
        used: epochMs(members.integer('used', 0)),
      };
      members.end();
      return one;
    } catch (error) {
      this.#logger.warn({ code: 'namespace-forgotten', path, error }, 'a remembered namespace cannot be read');
      return null;
    }
  }

  #path(namespace: Namespace): string {
    return join(this.#directory, `${namespaceLabel(namespace)}.json`);
  }

  /** A full disk is not told of for each namespace. */
  #failed(what: string, error: unknown): void {
    const event = { code: 'directory-unwell', path: this.#directory, error };
    if (this.#isUnwell) this.#logger.debug(event, `a namespace cannot be ${what}`);
    else this.#logger.warn(event, `what is known of namespaces cannot be ${what}: it is lost when the node ends`);
    this.#isUnwell = true;
  }
}

const readAtOnce = 16;
const isName = /^[a-z2-7]{26}\.json$/;
const longest = 1_200_000;
