import { parseByteSize } from '../../config/byte-size.js';
import { bytes, milliseconds, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Rebuilt } from '../cache/disk/bring-up.js';
import type { Compaction, DiskUpkeep } from '../cache/disk/disk-upkeep.js';
import type { Verification } from '../cache/disk/disk-verification.js';
import type { UpkeepOptions, UpkeepProgress, UpkeepWork } from '../cache/disk/upkeep.js';
import type { Body } from '../http/body.js';
import type { Request } from '../http/message.js';
import type { Members } from './json-request.js';
import { ProgressBody, type ProgressLine } from './progress-body.js';
import type { StoreControl } from './store-control.js';

/** What each work comes to. */
export interface UpkeepResults {
  readonly verify: Verification;
  readonly compact: Compaction;
  /** Null: it goes on. */
  readonly rebuild: Rebuilt | null;
}

/** A line that tells of work on a store. */
export type UpkeepLine<W extends keyof UpkeepResults> = ProgressLine<UpkeepProgress, UpkeepResults[W]>;

/** How many bytes are to be read in a second, as `50MiB` or `50MiB/s`. @throws WillisError bad-request */
export function rateOf(text: string | undefined): Bytes {
  if (text === undefined) return usualRate;
  const rate = parseByteSize(text.replace(/\/s$/, ''));
  if (rate !== null && rate >= lowestRate) return rate;
  throw new WillisError(
    'bad-request',
    `rate: expected a size such as 50MiB (for a second; at least 64KiB), got '${text}'`,
  );
}

/** What any disk does beside its other work. */
const usualRate = bytes(100 * 1024 * 1024);
const lowestRate = bytes(64 * 1024);

const tellEvery = milliseconds(1000);

/**
 * `POST /api/store/verify {rate?}`, `/rebuild`, `/compact`: work on the store, of which it is told in lines of JSON while it
 * goes on. Verifying ends when whoever has asked for it goes away.
 */
export class OperatorStore {
  constructor(
    private readonly control: StoreControl,
    private readonly logger: Logger,
  ) {}

  /** @throws WillisError bad-request, not-found, store-busy, store-unwell */
  verify(members: Members, request: Request): Body {
    const rate = rateOf(members.string('rate'));
    members.end();
    return this.#perform('verify', request, (upkeep, options) => upkeep.verify({ ...options, rate }));
  }

  /** @throws WillisError bad-request, not-found, store-busy, store-unwell */
  compact(members: Members, request: Request): Body {
    members.end();
    return this.#perform('compact', request, (upkeep, options) => upkeep.compact(options));
  }

  /** @throws WillisError bad-request, not-found, store-busy, store-unwell */
  rebuild(members: Members, request: Request): Body {
    members.end();
    return this.#perform('rebuild', request, (upkeep, options) => upkeep.rebuild(options));
  }

  #perform<W extends keyof UpkeepResults>(
    work: W,
    request: Request,
    begin: (upkeep: DiskUpkeep, options: UpkeepOptions) => Promise<UpkeepResults[W]>,
  ): Body {
    const { upkeep } = this.control;
    if (upkeep === null) throw new WillisError('not-found', 'nothing is stored on disk: cache.disk is null');
    return new ProgressBody<UpkeepProgress, UpkeepResults[W]>({
      begin: (signal, onProgress) => this.#logged(work, request, begin(upkeep, { signal, onProgress })),
      every: tellEvery,
    });
  }

  async #logged<T>(work: UpkeepWork, { id, client }: Request, done: Promise<T>): Promise<T> {
    const about = { id, client: client.address, work };
    this.logger.info({ code: 'store-upkeep-begun', ...about }, `store ${work} begun`);
    try {
      const result = await done;
      const detail = JSON.stringify(result, (name, value: unknown) => (name === 'lost' ? undefined : value));
      this.logger.info({ code: 'store-upkeep-ended', ...about, detail }, `store ${work} ended`);
      return result;
    } catch (error) {
      this.logger.error({ code: 'store-upkeep-failed', ...about, error }, `store ${work} failed`);
      throw error;
    }
  }
}
