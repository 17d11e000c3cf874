import { bytes, type Bytes } from '../config/units.js';
import { openKeyValue, repairKeyValue, KeyValueError, type KeyValue } from '../proxy/base/key-value.js';
import type { Digest } from '../wlis/trust/digest.js';

/** So much is gathered before it is written; more than so much waits for the disk. */
const batchSize = 1024 * 1024;
const mostGathered = 4 * 1024 * 1024;

/** Short blobs as records of a table, many of which become durable at once. */
export class SmallBlobs {
  readonly #table: KeyValue;
  /** Not yet durable. */
  readonly #gathered = new Map<Digest, Buffer>();
  #size = 0;
  #syncing: Promise<void> = Promise.resolve();

  private constructor(table: KeyValue) {
    this.#table = table;
  }

  /** @param onDamaged is told that the table was damaged, and what was left of it is used. @throws KeyValueError */
  static async open(directory: string, onDamaged: (error: unknown) => void): Promise<SmallBlobs> {
    try {
      return new SmallBlobs(await openKeyValue(directory));
    } catch (error) {
      if (!(error instanceof KeyValueError) || error.fault !== 'damaged') throw error;
      onDamaged(error);
      await repairKeyValue(directory);
      return new SmallBlobs(await openKeyValue(directory));
    }
  }

  /** Takes it; durable after the next `sync`. The promise is there to be waited for before more is put. */
  async put(digest: Digest, content: Buffer): Promise<void> {
    this.#gathered.set(digest, content);
    this.#size += content.length;
    if (this.#size >= mostGathered) await this.sync();
    // who syncs learns of it
    else if (this.#size >= batchSize) this.sync().catch(() => undefined);
  }

  sync(): Promise<void> {
    const synced = this.#syncing.then(() => this.#sync());
    this.#syncing = synced.catch(() => undefined);
    return synced;
  }

  async get(digest: Digest, length: Bytes): Promise<Buffer | undefined> {
    return this.#gathered.get(digest) ?? this.#table.get(keyOf(digest, length));
  }

  async delete(digest: Digest, length: Bytes): Promise<void> {
    if (this.#gathered.has(digest)) await this.sync();
    await this.#table.change([{ type: 'del', key: keyOf(digest, length) }]);
  }

  /** What is there. */
  async *entries(): AsyncGenerator<readonly [digest: Digest, length: Bytes]> {
    for await (const key of this.#table.keys({ from: '0', before: 'g' })) {
      const [, digest, length] = /^([0-9a-f]{64})\.(\d{1,9})$/.exec(key) ?? [];
      if (digest !== undefined) yield [digest as Digest, bytes(Number(length))];
    }
  }

  async close(): Promise<void> {
    await this.#syncing;
    await this.#table.close();
  }

  async #sync(): Promise<void> {
    const batch = [...this.#gathered];
    if (batch.length === 0) return;
    const changes = batch.map(
      ([digest, value]) => ({ type: 'put', key: keyOf(digest, bytes(value.length)), value }) as const,
    );
    // every batch, since the log of the table that a later one makes durable may be another one
    await this.#table.change(changes, { durable: true });
    for (const [digest, { length }] of batch) {
      this.#gathered.delete(digest);
      this.#size -= length;
    }
  }
}

/** The length tells what is there without reading it. */
const keyOf = (digest: Digest, length: Bytes): string => `${digest}.${length}`;
