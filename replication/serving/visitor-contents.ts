import { bytes, type Bytes } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { DocumentContent } from '../held-namespace.js';
import { gathered, PartOfWhole, StreamedPart, type ContentBody } from './content-body.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';

/**
 * Contents for visitors. Short ones are kept in memory, by their digest, and are got as a whole and once for all who want them;
 * longer ones are streamed from where they are held.
 */
export class VisitorContents {
  readonly #kept: RecentlyUsed<Digest, Buffer>;
  readonly #longest: Bytes;
  readonly #coming = new Map<Digest, Promise<Buffer>>();

  /** @param limit of what is kept in memory */
  constructor(limit: Bytes) {
    this.#kept = new RecentlyUsed(limit);
    this.#longest = bytes(Math.min(longestKept, Math.floor(limit / 8)));
  }

  get size(): Bytes {
    return this.#kept.size;
  }

  /** If it is in memory. */
  atHand({ digest, length }: Variant): Buffer | undefined {
    return length === 0 ? empty : this.#kept.use(digest);
  }

  /** The bytes from ≤ position < to of a content that is not in memory. Nothing begins before they are wanted. */
  open(variant: Variant, from: Bytes, to: Bytes, held: DocumentContent): ContentBody {
    if (variant.length <= this.#longest) return new PartOfWhole(() => this.#whole(variant, held), from, to);
    return new StreamedPart(held.read(variant, from, to), bytes(to - from));
  }

  #whole(variant: Variant, held: DocumentContent): Promise<Buffer> {
    const { digest } = variant;
    const coming = this.#coming.get(digest);
    if (coming !== undefined) return coming;
    // it may have come since the request was looked at
    const kept = this.#kept.use(digest);
    if (kept !== undefined) return Promise.resolve(kept);
    const started = this.#get(variant, held).finally(() => this.#coming.delete(digest));
    this.#coming.set(digest, started);
    return started;
  }

  async #get(variant: Variant, held: DocumentContent): Promise<Buffer> {
    const { digest, length } = variant;
    const content = await gathered(held.read(variant, bytes(0), length), length);
    this.#kept.put(digest, content, bytes(length + perContent));
    return content;
  }
}

const empty = Buffer.alloc(0);
/** Pages and pictures. Of what is longer a visitor should not have to wait for the end. */
const longestKept = bytes(256 * 1024);
/** The buffer, its backing store and its place in the table. */
const perContent = 700;
