import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file of the site that is edited again and again. */
export interface WrittenFile {
  /** In the site. */
  readonly path: string;
  readonly length: number;
  /** The newest version that may have been published. */
  readonly version: number;
}

/** Files whose every version can be told from its bytes, however few of them somebody has got. */
export class WrittenFiles {
  readonly #directory: string;
  readonly #files: { path: string; length: number; version: number }[];

  private constructor(directory: string) {
    this.#directory = directory;
    this.#files = kinds.flatMap(({ name, count, length }) =>
      Array.from({ length: count }, (_, n) => ({ path: `${name}-${n}.bin`, length, version: 0 })),
    );
  }

  /** Writes the first version of each. */
  static async write(directory: string): Promise<WrittenFiles> {
    const files = new WrittenFiles(directory);
    for (const { path } of files.all) await files.edit(path);
    return files;
  }

  get all(): readonly WrittenFile[] {
    return this.#files;
  }

  /** Moves the next version to its name when it is whole. */
  async edit(path: string): Promise<void> {
    const file = this.#files.find((one) => one.path === path);
    if (file === undefined) throw new Error(`there is no ${path}`);
    // from the moment on at which somebody might get it
    file.version += 1;
    const finished = join(this.#directory, path);
    const draft = join(dirname(finished), `.draft-${path.replaceAll('/', '-')}`);
    await mkdir(dirname(finished), { recursive: true });
    await writeFile(draft, contentOf(file, file.version));
    await rename(draft, finished);
  }
}

/** From one block to sixty. */
const kinds = [
  { name: 'notes/note', count: 24, length: 10_000 },
  { name: 'pictures/picture', count: 8, length: 200_000 },
  { name: 'downloads/download', count: 3, length: 4_000_000 },
] as const;

/** Bytes that no two versions of no two files have in common. */
export function contentOf({ path, length }: WrittenFile, version: number): Buffer {
  const key = createHash('sha256').update(`${path} ${version}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}
