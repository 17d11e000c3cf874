import {
  close,
  closeSync,
  mkdir,
  open,
  openSync,
  opendir,
  read,
  readFile,
  readFileSync,
  readSync,
  rename,
  rm,
  stat,
  statfs,
  unlink,
  writeFile,
  writev,
} from 'node:fs';
import { promisify } from 'node:util';
import { bytes, type Bytes } from '../../../config/units.js';

/** An open file. */
export type Descriptor = number & { readonly descriptor: unique symbol };

/** What a store does to files; of its own so that tests can let a disk fail. Every method rejects with what the system says. */
export interface FileSystem {
  open(path: string, how: 'read' | 'create'): Promise<Descriptor>;
  /** Fills the buffer as far as the file goes. Gives how many bytes that is. */
  read(file: Descriptor, into: Buffer, position: Bytes): Promise<Bytes>;
  /** The same at once, while everybody waits, as are `openNow` and `closeNow`. */
  readNow(file: Descriptor, into: Buffer, position: Bytes): Bytes;
  openNow(path: string): Descriptor;
  closeNow(file: Descriptor): void;
  /** How many bytes came from disks for this process so far, and not from what the kernel had in memory; null if unknown. */
  fetched(): Bytes | null;
  /** Writes all of it. */
  write(file: Descriptor, chunks: readonly Buffer[], position: Bytes): Promise<void>;
  close(file: Descriptor): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Names in a directory; of a large one, as they are read. */
  names(directory: string): AsyncIterable<string>;
  size(path: string): Promise<Bytes>;
  /** What others than the super-user may still write where the path is. */
  free(path: string): Promise<Bytes>;
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
}

const calls = {
  open: promisify(open),
  read: promisify(read),
  writev: promisify(writev),
  close: promisify(close),
  rename: promisify(rename),
  unlink: promisify(unlink),
  mkdir: promisify(mkdir),
  opendir: promisify(opendir),
  rm: promisify(rm),
  stat: promisify(stat),
  statfs: promisify(statfs),
  readFile: promisify(readFile),
  writeFile: promisify(writeFile),
};

/** The file system of the machine. */
export const machineFileSystem: FileSystem = {
  open: async (path, how) => (await calls.open(path, how === 'read' ? 'r' : 'wx', 0o600)) as Descriptor,

  async read(file, into, position) {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await calls.read(file, into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes(filled);
  },

  readNow(file, into, position) {
    let filled = 0;
    while (filled < into.length) {
      const read = readSync(file, into, filled, into.length - filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes(filled);
  },

  openNow: (path) => openSync(path, 'r') as Descriptor,
  closeNow: (file) => {
    closeSync(file);
  },

  fetched() {
    try {
      const count = /^read_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1];
      return count === undefined ? null : bytes(Number(count));
    } catch {
      return null;
    }
  },

  async write(file, chunks, position) {
    let rest = chunks.filter(({ length }) => length > 0);
    for (let at: number = position; rest.length > 0;) {
      const { bytesWritten } = await calls.writev(file, rest, at);
      at += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
  },

  close: (file) => calls.close(file),
  rename: (from, to) => calls.rename(from, to),
  unlink: (path) => calls.unlink(path),

  async makeDirectory(path) {
    await calls.mkdir(path, { recursive: true, mode: 0o700 });
  },

  removeDirectory: (path) => calls.rm(path, { recursive: true, force: true }),

  async *names(directory) {
    for await (const { name } of await calls.opendir(directory)) yield name;
  },

  size: async (path) => bytes((await calls.stat(path)).size),

  async free(path) {
    const { bavail, bsize } = await calls.statfs(path);
    return bytes(bavail * bsize);
  },

  readText: (path) => calls.readFile(path, 'utf8'),
  writeText: (path, text) => calls.writeFile(path, text, { mode: 0o600 }),
};

/** What is left of chunks whose first so many bytes are done with. */
function behind(chunks: Buffer[], done: number): Buffer[] {
  let left = done;
  const rest: Buffer[] = [];
  for (const chunk of chunks) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      rest.push(left === 0 ? chunk : chunk.subarray(left));
      left = 0;
    }
  }
  return rest;
}
