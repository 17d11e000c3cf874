import { setImmediate } from 'node:timers/promises';
import { bytes, type Bytes } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { BlobStore } from '../blob-store.js';
import type { Change } from '../change-list.js';
import { parseDocument } from '../source/published-document.js';
import type { HoldingRules } from './holding-rules.js';

/** How much there is of what belongs here. */
export interface Holdings {
  readonly documents: number;
  /** Contents that are here, each once. */
  readonly bytes: Bytes;
  /** Contents that belong here. */
  readonly totalBytes: Bytes;
}

/** Counts, behind other work, what belongs to a replica and what of it is here. */
export class HoldingsCount {
  readonly #blobs: BlobStore;
  readonly #rules: HoldingRules;
  #counted: Holdings = { documents: 0, bytes: bytes(0), totalBytes: bytes(0) };
  #counting: Promise<void> | null = null;
  #wanted: (() => Iterable<Change<string>>) | null = null;
  #stopped = false;

  constructor(blobs: BlobStore, rules: HoldingRules) {
    this.#blobs = blobs;
    this.#rules = rules;
  }

  /** As it was when it was counted last. */
  get current(): Holdings {
    return this.#counted;
  }

  /** Counts anew, if need be once more when what is under way is done. */
  count(changes: () => Iterable<Change<string>>): void {
    this.#wanted = changes;
    this.#counting ??= this.#run().finally(() => (this.#counting = null));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#counting;
  }

  async #run(): Promise<void> {
    while (this.#wanted !== null && !this.#stopped) {
      const changes = this.#wanted;
      this.#wanted = null;
      await setImmediate();
      await this.#count(changes());
    }
  }

  async #count(changes: Iterable<Change<string>>): Promise<void> {
    const seen = new Set<Digest>();
    let [documents, here, total, looked] = [0, 0, 0, 0];
    for (const { path, document } of changes) {
      if (++looked % slice === 0) await setImmediate();
      if (this.#stopped) return;
      if (document === null) continue;
      documents++;
      for (const variant of parseDocument(path, document).variants) {
        const { digest, length } = variant;
        if (seen.has(digest) || !this.#rules.belongs(path, variant)) continue;
        seen.add(digest);
        total += length;
        if (length === 0 || this.#blobs.has(digest)) here += length;
      }
    }
    this.#counted = { documents, bytes: bytes(here), totalBytes: bytes(total) };
  }
}

const slice = 256;
