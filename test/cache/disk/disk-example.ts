import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bytes, milliseconds, type Bytes } from '../../../config/units.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import type { Verification } from '../../../proxy/cache/disk/disk-verification.js';
import type { VerifyOptions } from '../../../proxy/cache/disk/disk-upkeep.js';
import type { UpkeepOptions } from '../../../proxy/cache/disk/upkeep.js';
import type { StoredResponse } from '../../../proxy/cache/stored-response.js';
import { readAll } from '../../../proxy/http/body.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { key } from '../response-store/samples.js';

/** A directory with a store in it that can be opened again and again; what it reported. */
export class DiskExample {
  readonly clock = new FakeClock();
  readonly unwell: unknown[] = [];
  readonly lost: string[] = [];
  readonly notices: string[] = [];
  wells = 0;
  #open: DiskStore[] = [];
  #onWell: (() => void)[] = [];

  private constructor(private readonly temporary: TempDir) {}

  static async create(): Promise<DiskExample> {
    return new DiskExample(await TempDir.create());
  }

  get directory(): string {
    return join(this.temporary.path, 'store');
  }

  async open(over: Partial<DiskOptions> = {}): Promise<DiskStore> {
    const store = await DiskStore.open({
      directory: this.directory,
      limit: bytes(64 * 1024 * 1024),
      maxDocument: bytes(32 * 1024 * 1024),
      variants: 32,
      clock: this.clock,
      onUnwell: (error) => this.unwell.push(error),
      onWell: () => {
        this.wells++;
        for (const listener of this.#onWell.splice(0)) listener();
      },
      onLost: (key) => this.lost.push(key),
      onNotice: (notice) => this.notices.push(notice),
      retryAfter: milliseconds(20),
      boot: 'one',
      ...over,
    });
    this.#open.push(store);
    return store;
  }

  /** Resolves when the store has recovered the next time. */
  nextWell(): Promise<void> {
    return new Promise((resolve) => this.#onWell.push(resolve));
  }

  /**
   * Copies a directory with a store as it would be left by a process that is killed now. It is copied again where the index
   * has changed its files meanwhile, which it does behind all work.
   */
  copyAsKilled(from: string, to: string): void {
    for (;;) {
      const before = filesOf(join(from, 'index'));
      try {
        rmSync(to, { recursive: true, force: true });
        cpSync(from, to, { recursive: true });
        if (filesOf(join(from, 'index')) === before) return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** All body files. */
  bodyFiles(): string[] {
    return filesUnder(join(this.directory, 'bodies'));
  }

  /** What the directory takes on disk. */
  taken(): Bytes {
    return bytes(filesUnder(this.directory).reduce((sum, path) => sum + statSync(path).blocks * 512, 0));
  }

  async remove(): Promise<void> {
    for (const store of this.#open) await store.close();
    await this.temporary.remove();
  }
}

/** Names and lengths. */
const filesOf = (directory: string): string =>
  readdirSync(directory)
    .map((name) => `${name} ${statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0}`)
    .sort()
    .join();

export const filesUnder = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(directory, entry.name)) : [join(directory, entry.name)],
  );

/** What a client would get: the bytes of the only response under a key; null if there is none or it cannot be read. */
export async function given(store: DiskStore, stored?: StoredResponse): Promise<string | null> {
  const one = stored ?? (await store.lookUp(key('/')))[0];
  if (one?.length == null) return null;
  if (!(await store.ready(one, bytes(0), one.length))) return null;
  return (await readAll(store.open(one, bytes(0), one.length), bytes(1 << 30))).toString('latin1');
}

/** Work on a store that nobody watches and nobody ends. */
export const unattended = (): UpkeepOptions => ({ signal: new AbortController().signal, onProgress: () => undefined });

/** All that is in a store, read and checked as fast as it goes. */
export const verified = (store: DiskStore, options: Partial<VerifyOptions> = {}): Promise<Verification> =>
  store.upkeep.verify({ ...unattended(), rate: bytes(1 << 30), ...options });
