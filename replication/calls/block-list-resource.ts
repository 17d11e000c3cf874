import type { EpochMs } from '../../config/units.js';
import { bytes } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { isNotModified } from '../../proxy/http/preconditions.js';
import { MOST_BLOCKS } from '../../wlis/trust/block-list.js';
import { parseDigest } from '../../wlis/trust/digest.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { BlobReads } from './blob-reads.js';
import { immutableAnswer, immutableFields, immutableValidators, notHere } from './immutable-answer.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';

export interface BlockListResourceOptions {
  readonly blobs: BlobReads;
  readonly now: () => EpochMs;
}

/** `GET …/blocks/<sha-256>`: a block list by its digest. */
export class BlockListResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: BlockListResourceOptions;

  constructor(options: BlockListResourceOptions) {
    this.#options = options;
  }

  async answer({ request, rest }: ReceivedCall): Promise<Response> {
    const { blobs, now } = this.#options;
    const digest = parseDigest(rest, 'block list');
    const length = blobs.lengthOf(digest);
    if (length === undefined || length > LONGEST_BLOCK_LIST || length % 32 !== 0) throw notHere(digest);
    if (isNotModified(request, immutableValidators(digest), now())) {
      return { status: 304, reason: 'Not Modified', fields: new Fields(immutableFields(digest)), body: null };
    }
    try {
      return immutableAnswer(digest, await blobs.readWhole(digest));
    } catch (error) {
      throw error instanceof BlobStoreError && error.fault === 'missing' ? notHere(digest) : error;
    }
  }
}

export const LONGEST_BLOCK_LIST = bytes(32 * MOST_BLOCKS);
