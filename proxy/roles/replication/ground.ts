import type { Config } from '../../../config/schema.js';
import { milliseconds } from '../../../config/units.js';
import { BlobStoreError } from '../../../replication/blob-store-error.js';
import type { BlobStore } from '../../../replication/blob-store.js';
import { KeyDirectory } from '../../../replication/keys/key-directory.js';
import { KeyFileError } from '../../../replication/keys/key-file-error.js';
import { CallKey } from '../../../wlis/call-key.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { RefusedConfiguration } from '../refused-configuration.js';
import { Founding } from './founding.js';
import { openBlobs } from './node-parts.js';

/** Contents that nobody refers to any more are looked for so often. */
const collectEvery = milliseconds(60_000);

/** What all namespaces of a node stand on, in its `node.data`: keys, and the store of contents. */
export class Ground {
  readonly founding: Founding;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #collecting: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(
    /** `node.data` */
    readonly data: string,
    readonly keys: KeyDirectory,
    readonly callKey: CallKey,
    readonly blobs: BlobStore,
    logger: Logger,
  ) {
    this.founding = new Founding(keys);
    this.#logger = logger;
    this.#timer = setInterval(() => this.collect(), collectEvery).unref();
  }

  /** @throws RefusedConfiguration */
  static async open(config: Config, clock: Clock, logger: Logger): Promise<Ground> {
    const { data } = config.node;
    try {
      const keys = new KeyDirectory(data);
      const callKey = new CallKey((await keys.nodeKey()).jwk);
      return new Ground(data, keys, callKey, await openBlobs(config, clock, logger), logger);
    } catch (error) {
      if (!(error instanceof BlobStoreError) && !(error instanceof KeyFileError)) throw error;
      const isTaken = error instanceof BlobStoreError && error.fault === 'in-use';
      const expected = isTaken ? 'a directory that no other node uses' : 'a directory for keys and documents';
      throw new RefusedConfiguration([{ key: 'node.data', expected, got: `${data} (${error.message})` }], {
        cause: error,
      });
    }
  }

  /** Deletes contents that nobody has referred to for long enough; goes on behind other work. */
  collect(): void {
    this.#collecting = this.#collecting.then(() => this.#collect());
  }

  /** Nobody uses any of it any more. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#collecting;
    await this.blobs.close();
  }

  async #collect(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.blobs.collect();
    } catch (error) {
      this.#logger.warn({ code: 'documents-not-collected', error }, 'contents could not be deleted');
    }
  }
}
