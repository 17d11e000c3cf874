import { constants, type Dirent } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytes, type Bytes } from '../config/units.js';
import type { Digest } from '../wlis/trust/digest.js';
import { BlobStoreError } from './blob-store-error.js';
import { forEachOf } from './bounded-work.js';

/** A file that is being written, and will be a blob. */
export interface Draft {
  readonly path: string;
  readonly handle: FileHandle;
}

const atOnce = 8;
/** Hashed before it is known to be durable, so many files are kept open at most. */
const mostUnsynced = 64;

/**
 * Blobs in files of their own, named after their digests: `large/ab/cdef…`. A file has its name only when it is durable; until
 * then it lies in `tmp/`, which is emptied at start.
 */
export class LargeBlobs {
  readonly #directory: string;
  readonly #temporary: string;
  readonly #unsynced = new Map<Digest, Draft>();
  #drafts = 0;
  /** Whether files of the sources can be cloned to here, by the device they are on. */
  readonly #clonable = new Map<number, boolean>();
  #syncing: Promise<void> = Promise.resolve();

  private constructor(directory: string) {
    this.#directory = join(directory, 'large');
    this.#temporary = join(directory, 'tmp');
  }

  static async open(directory: string): Promise<LargeBlobs> {
    const blobs = new LargeBlobs(directory);
    await rm(blobs.#temporary, { recursive: true, force: true });
    await mkdir(blobs.#temporary, { recursive: true, mode: 0o700 });
    await mkdir(blobs.#directory, { recursive: true, mode: 0o700 });
    return blobs;
  }

  async draft(): Promise<Draft> {
    const path = this.#draftPath();
    return { path, handle: await open(path, 'wx+', 0o600) };
  }

  /** A clone that shares its blocks with an open file, which may change afterwards; null where that cannot be done. */
  async clone(source: number, device: number): Promise<Draft | null> {
    if (this.#clonable.get(device) === false) return null;
    const path = this.#draftPath();
    try {
      await copyFile(`/proc/self/fd/${source}`, path, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
      this.#clonable.set(device, true);
      return { path, handle: await open(path, 'r+') };
    } catch {
      this.#clonable.set(device, false);
      await rm(path, { force: true });
      return null;
    }
  }

  async discard(draft: Draft): Promise<void> {
    await draft.handle.close();
    await rm(draft.path, { force: true });
  }

  /** Takes over what was written, wherever it lies; it can be read at once, and is durable after the next `sync`. */
  async keep(digest: Digest, draft: Draft): Promise<void> {
    this.#unsynced.set(digest, draft);
    if (this.#unsynced.size >= mostUnsynced) await this.sync();
  }

  sync(): Promise<void> {
    const synced = this.#syncing.then(() => this.#sync());
    this.#syncing = synced.catch(() => undefined);
    return synced;
  }

  async openForReading(digest: Digest): Promise<FileHandle> {
    const draft = this.#unsynced.get(digest);
    try {
      return await open(draft?.path ?? this.#pathOf(digest), 'r');
    } catch (error) {
      // it may have got its name meanwhile
      if (draft !== undefined && !this.#unsynced.has(digest)) return open(this.#pathOf(digest), 'r');
      throw error;
    }
  }

  async delete(digest: Digest): Promise<void> {
    if (this.#unsynced.has(digest)) await this.sync();
    await unlink(this.#pathOf(digest)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }

  /** What is there. */
  async *entries(): AsyncGenerator<readonly [digest: Digest, length: Bytes]> {
    for (const { name: first } of await directoryEntries(this.#directory)) {
      for (const { name } of await directoryEntries(join(this.#directory, first))) {
        if (!/^[0-9a-f]{64}$/.test(first + name)) continue;
        const { size } = await stat(join(this.#directory, first, name));
        yield [(first + name) as Digest, bytes(size)];
      }
    }
  }

  /** What was not made durable is given up, unless it lies where it outlasts that: it can be gone on with. */
  async close(): Promise<void> {
    await this.#syncing;
    for (const draft of this.#unsynced.values()) {
      if (dirname(draft.path) === this.#temporary) await this.discard(draft);
      else await draft.handle.close();
    }
    this.#unsynced.clear();
  }

  async #sync(): Promise<void> {
    const drafts = [...this.#unsynced];
    const directories = new Set<string>();
    await forEachOf(drafts, atOnce, async ([digest, draft]) => {
      const path = this.#pathOf(digest);
      await draft.handle.datasync();
      if (await makeDirectory(dirname(path))) directories.add(this.#directory);
      await rename(draft.path, path);
      if (this.#unsynced.get(digest) === draft) this.#unsynced.delete(digest);
      await draft.handle.close();
      directories.add(dirname(path));
    });
    await forEachOf(directories, atOnce, syncDirectory);
  }

  #draftPath(): string {
    return join(this.#temporary, String(this.#drafts++));
  }

  #pathOf(digest: Digest): string {
    return join(this.#directory, digest.slice(0, 2), digest.slice(2));
  }
}

/** Makes names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeDirectory(path: string): Promise<boolean> {
  return (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
}

async function directoryEntries(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reads so much from a place in a file. @throws BlobStoreError damaged if it is not as long */
export async function readFully(handle: FileHandle, from: Bytes, length: Bytes, what: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, from + filled);
    if (bytesRead === 0) throw new BlobStoreError('damaged', `${what} ends at byte ${from + filled}`);
    filled += bytesRead;
  }
  return buffer;
}
