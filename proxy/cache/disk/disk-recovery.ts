import { setTimeout as later } from 'node:timers';
import { join } from 'node:path';
import { bytes, milliseconds, type Milliseconds } from '../../../config/units.js';
import { isDamage, KeyValueError } from '../../base/key-value.js';
import { bringUp, type BroughtUp, type Rebuilt, type StoreParts } from './bring-up.js';
import { diskFault } from './disk-fault.js';
import { trustedPath, type FoundDirectory } from './disk-format.js';
import type { DiskHealth } from './disk-health.js';
import type { DiskOptions } from './disk-options.js';
import type { Rebuilding } from './disk-rebuild.js';
import { runKey } from './index-keys.js';
import { TableCheck } from './index-tables.js';
import { encodeRun } from './run-marker.js';
import { UncheckedNote } from './store-notes.js';

/** A disk with so much room is not full: it is what level may take when it is opened, twice. */
const enough = bytes(8 * 1024 * 1024);

export interface RecoveryParts extends StoreParts {
  readonly health: DiskHealth;
  /** The index is in use, for the first time or again. @param needsSweep whether there may be files that nothing refers to */
  readonly onUp: (needsSweep: boolean) => void;
  /** As `DiskRoom.giveUp`. */
  readonly onFull: () => Promise<boolean>;
}

/** Opens the index of a store at first, again when it has failed, and anew by order; and knows what of it can be trusted. */
export class DiskRecovery {
  readonly #options: DiskOptions;
  readonly #parts: RecoveryParts;
  readonly #check: TableCheck;
  readonly #unchecked: UncheckedNote;
  readonly #closing = new AbortController();
  #found: FoundDirectory = { isNew: false, format: 0 };
  #isUp = false;
  /** How often something was not recorded that must not be lost, and up to which of these times that is made up for. */
  #distrusts = 0;
  #settled = 0;

  constructor(options: DiskOptions, parts: RecoveryParts) {
    this.#options = options;
    this.#parts = parts;
    this.#check = new TableCheck(join(options.directory, 'index'), parts.system);
    this.#unchecked = new UncheckedNote(options.directory, parts.system);
  }

  /** Opens it for the first time; see `openDisk`. Rejects if there is none, or another process has it. */
  async begin(found: FoundDirectory): Promise<void> {
    this.#found = found;
    const { health } = this.#parts;
    const { patience } = this.#options;
    const wait = new Wait();
    if (patience !== undefined) wait.atMost(milliseconds(patience * slowerThanRepair));
    const up = this.#bringUp(false, {
      onRepair: () => {
        if (patience !== undefined) wait.atMost(patience);
      },
    }).then(() => undefined);
    try {
      if (await wait.for(up)) return;
      health.begin(new KeyValueError('damaged', 'the index is being opened, or repaired, which takes long'), up);
    } catch (error) {
      const isTaken = error instanceof KeyValueError && error.fault === 'in-use';
      if (isTaken || found.isNew) throw error;
      health.begin(error);
    }
  }

  /** After a failure. Rejects if the disk still fails. */
  async recover(cause: unknown): Promise<void> {
    const { index, system } = this.#parts;
    // level stands still after a failure until it is opened again
    if (!this.#isUp || cause instanceof KeyValueError) await this.#bringUpAgain(isDamage(cause));
    const probe = join(this.#options.directory, 'tmp', 'probe');
    await system.writeText(probe, 'x'.repeat(64 * 1024));
    await system.unlink(probe);
    // somebody may have made room meanwhile
    const isFull = diskFault(cause) === 'full' && (await system.free(this.#options.directory)) < enough;
    if (isFull) await this.#parts.onFull();
    await index.journal.write({ changes: [] });
    await this.#trustAgain();
  }

  /** Makes the index anew from what is sound in it and from the files; the store is unwell meanwhile. */
  async rebuild(onProgress?: Rebuilding['onProgress']): Promise<Rebuilt> {
    if (!this.#parts.health.isWell) throw new KeyValueError('unwell', 'the disk fails, or is being repaired already');
    const up = this.#bringUp(true, { onProgress });
    const over = up.then(() => undefined);
    const order = new KeyValueError('damaged', 'the index is made anew by order of the operator');
    this.#parts.health.begin(order, over, 'ordered');
    await over;
    return (await up).rebuilt;
  }

  /** Something was not recorded that must not be lost: from now on nothing of what is stored is used without validation. */
  async distrust(): Promise<void> {
    this.#distrusts++;
    // also if this process does not live to note it; a file can be deleted where none can be written
    await this.#parts.system.unlink(trustedPath(this.#options.directory)).catch(() => undefined);
  }

  /** Ends what is under way. */
  stop(): void {
    this.#closing.abort();
  }

  /** To be called when nothing else is under way. */
  async close(): Promise<void> {
    const { index, lock, boot, health } = this.#parts;
    this.stop();
    await this.#check.close();
    if (this.#isUp && health.isWell && this.#settled === this.#distrusts) {
      const clean = encodeRun(boot, true);
      await index.change([{ type: 'put', key: runKey, value: clean }], { durable: true }).catch(() => undefined);
    }
    await index.close();
    if (this.#isUp && health.isWell) await this.#unchecked.remove().catch(() => undefined);
    await lock.release();
  }

  async #bringUp(mustRepair: boolean, { onProgress, onRepair = () => undefined }: Listening = {}): Promise<BroughtUp> {
    const { index, onUp, health } = this.#parts;
    const sequence = index.journal.nextSequence();
    await index.close();
    await this.#settle();
    const brought = await bringUp(this.#parts, this.#options, {
      ...this.#found,
      ...{ isFirst: !this.#isUp, mustRepair, sequence },
      work: { signal: this.#closing.signal, onProgress },
      onRepair,
    });
    await this.#settle();
    index.takeOver(brought.index);
    this.#isUp = true;
    this.#found = { ...this.#found, isNew: false };
    onUp(brought.needsSweep);
    this.#check.begin(
      brought.unchecked,
      () => this.#unchecked.remove(),
      (error) => health.failed(error),
    );
    await this.#trustAgain();
    return brought;
  }

  /** On a disk that is full of body files there is no room to open the index, without which nothing is evicted. */
  async #bringUpAgain(mustRepair: boolean): Promise<void> {
    try {
      await this.#bringUp(mustRepair);
    } catch (error) {
      if (diskFault(error) !== 'full' || !(await this.#makeRoom())) throw error;
      await this.#bringUp(mustRepair);
    }
  }

  /**
   * Deletes body files whatever they are, which will be missed and forgotten; those that are being read only if all others are
   * not enough. Gives whether there were any.
   */
  async #makeRoom(): Promise<boolean> {
    const { files, system } = this.#parts;
    let deleted = 0;
    for (const areRead of [false, true]) {
      for await (const id of files.names()) {
        if ((await system.free(this.#options.directory)) >= enough) break;
        if (files.isHeld(id) !== areRead) continue;
        await files.delete(id);
        deleted++;
      }
    }
    if (deleted > 0) this.#options.onNotice?.(`the disk is full: ${deleted} body files were deleted to open the index`);
    return deleted > 0;
  }

  /** Waits for what has begun with the index as it was: it fails. */
  async #settle(): Promise<void> {
    const { index, locks } = this.#parts;
    do {
      await index.journal.settled();
      await locks.settled();
    } while (!index.journal.isIdle);
  }

  async #trustAgain(): Promise<void> {
    const { index, system } = this.#parts;
    let before: number;
    do {
      before = this.#distrusts;
      if (this.#settled < before) await index.distrustAll();
      await system.writeText(trustedPath(this.#options.directory), index.run);
    } while (before < this.#distrusts);
    this.#settled = before;
  }
}

interface Listening {
  readonly onProgress?: Rebuilding['onProgress'];
  readonly onRepair?: () => void;
}

/** An index that is merely opened is waited for longer, so many times: it comes, unless the disk hangs. */
const slowerThanRepair = 30;

/** Waits for work, at most so long; the limit may change meanwhile. */
class Wait {
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #giveUp: () => void = () => undefined;
  readonly #over = new Promise<false>((resolve) => {
    this.#giveUp = () => resolve(false);
  });

  /** From now on; of no effect once it was waited. */
  atMost(limit: Milliseconds): void {
    clearTimeout(this.#timer);
    if (!this.#isOver) this.#timer = later(this.#giveUp, limit);
  }

  /** Whether it was done in time; rejects as it does. */
  async for(work: Promise<void>): Promise<boolean> {
    try {
      return await Promise.race([work.then(() => true), this.#over]);
    } finally {
      this.#isOver = true;
      clearTimeout(this.#timer);
    }
  }
}
