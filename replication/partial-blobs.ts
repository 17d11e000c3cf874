import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, elapsedMonotonic, type Bytes, type Milliseconds, type MonotonicMs } from '../config/units.js';
import type { Digest } from '../wlis/trust/digest.js';

interface Partial {
  /** What it counts as: while it is being written all that it will be. */
  size: number;
  /** Since when nobody writes it; null while somebody does. */
  idleSince: MonotonicMs | null;
}

/** The beginnings of blobs, in files named after the digests of the whole: `partial/abcdef…`. They outlast a crash. */
export class PartialBlobs {
  readonly #directory: string;
  readonly #partials = new Map<Digest, Partial>();
  readonly #deleting = new Map<Digest, Promise<void>>();
  #total = 0;

  private constructor(directory: string) {
    this.#directory = join(directory, 'partial');
  }

  static async open(directory: string, now: MonotonicMs): Promise<PartialBlobs> {
    const partials = new PartialBlobs(directory);
    await mkdir(partials.#directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(partials.#directory)) {
      const path = join(partials.#directory, name);
      const { size } = await stat(path);
      if (!/^[0-9a-f]{64}$/.test(name) || size === 0) await rm(path, { recursive: true, force: true });
      else partials.#set(name as Digest, { size, idleSince: now });
    }
    return partials;
  }

  /** Of all of them. */
  get total(): Bytes {
    return bytes(this.#total);
  }

  *digests(): Generator<Digest> {
    yield* this.#partials.keys();
  }

  isOpen(digest: Digest): boolean {
    return this.#partials.get(digest)?.idleSince === null;
  }

  sizeOf(digest: Digest): Bytes {
    return bytes(this.#partials.get(digest)?.size ?? 0);
  }

  pathOf(digest: Digest): string {
    return join(this.#directory, digest);
  }

  /** Somebody writes it from now on. */
  begin(digest: Digest, length: Bytes): void {
    this.#set(digest, { size: length, idleSince: null });
  }

  /** Nobody writes it any more; so much of it is there. */
  leave(digest: Digest, size: Bytes, now: MonotonicMs): void {
    this.#set(digest, { size, idleSince: now });
  }

  /** It has become a blob, or is gone. */
  forget(digest: Digest): void {
    this.#total -= this.sizeOf(digest);
    this.#partials.delete(digest);
  }

  delete(digest: Digest): Promise<void> {
    this.forget(digest);
    const deleted = rm(this.pathOf(digest), { force: true }).finally(() => this.#deleting.delete(digest));
    this.#deleting.set(digest, deleted);
    return deleted;
  }

  /** Waits until its file is gone if it is being deleted. */
  async deleted(digest: Digest): Promise<void> {
    await this.#deleting.get(digest)?.catch(() => undefined);
  }

  /** Those that nobody has written for at least so long. */
  idle(now: MonotonicMs, atLeast: Milliseconds): readonly Digest[] {
    const isIdle = ({ idleSince }: Partial): boolean =>
      idleSince !== null && elapsedMonotonic(idleSince, now) >= atLeast;
    return [...this.#partials].filter(([, partial]) => isIdle(partial)).map(([digest]) => digest);
  }

  #set(digest: Digest, partial: Partial): void {
    this.#total += partial.size - this.sizeOf(digest);
    this.#partials.set(digest, partial);
  }
}
