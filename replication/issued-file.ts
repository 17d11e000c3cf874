import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { epochMs, type EpochMs } from '../config/units.js';

/**
 * Remembers across restarts when the last head was issued. It outlives the process; after a loss of power it may be some
 * seconds behind, which matters only where the clock went back as well.
 */
export class IssuedFile {
  readonly path: string;
  readonly #file: FileHandle;
  #last: EpochMs | null;

  private constructor(path: string, file: FileHandle, last: EpochMs | null) {
    this.path = path;
    this.#file = file;
    this.#last = last;
  }

  /** What cannot be read is taken for nothing. @throws Error what the system says */
  static async open(path: string): Promise<IssuedFile> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length + 1), 0, length + 1, 0);
    const [, digits] = format.exec(buffer.toString('latin1', 0, bytesRead)) ?? [];
    return new IssuedFile(path, file, digits === undefined ? null : epochMs(Number(digits)));
  }

  get last(): EpochMs | null {
    return this.#last;
  }

  /** Counts from now on, and is in the file when this is fulfilled. Earlier ones than the last are ignored. */
  async keep(issued: EpochMs): Promise<void> {
    if (this.#last !== null && issued <= this.#last) return;
    this.#last = issued;
    // always as long, so that what is there is overwritten in one piece
    await this.#file.write(`${String(issued).padStart(length - 1, '0')}\n`, 0, 'latin1');
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const format = /^(\d{15})\n$/;
const length = 16;
