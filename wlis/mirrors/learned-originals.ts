import { bytes, type Bytes } from '../../config/units.js';
import { KeyOrder } from '../../proxy/cache/key-order.js';
import { selects } from '../../proxy/cache/vary.js';
import type { Fields } from '../../proxy/http/fields.js';
import { sizeOf, type LearnedOriginal } from './learned-original.js';

/** What the originals have said of their documents, by URI and by the fields that select: as much as a limit allows. */
export class LearnedOriginals {
  readonly #byUri = new KeyOrder<LearnedOriginal[], string>();
  readonly limit: Bytes;
  #size = 0;

  constructor(limit: Bytes = defaultLimit) {
    this.limit = limit;
  }

  get size(): Bytes {
    return bytes(this.#size);
  }

  get documents(): number {
    return this.#byUri.size;
  }

  /** The last answer to such a request. */
  of(uri: string, requestFields: Fields): LearnedOriginal | null {
    return this.#byUri.use(uri)?.find(({ selecting }) => selects(selecting, requestFields)) ?? null;
  }

  /** Takes the place of what was learned by such a request before. */
  put(uri: string, requestFields: Fields, learned: LearnedOriginal): void {
    const before = this.#byUri.peek(uri) ?? [];
    const others = before.filter(({ selecting }) => !selects(selecting, requestFields));
    this.forget(uri);
    const kept = [learned, ...others].slice(0, mostVariants);
    this.#byUri.put(uri, kept);
    this.#size += total(kept);
    while (this.#size > this.limit) this.forget(this.#byUri.least() as string);
  }

  forget(uri: string): void {
    this.#size -= total(this.#byUri.peek(uri) ?? []);
    this.#byUri.delete(uri);
  }
}

const defaultLimit = bytes(8 * 1024 * 1024);
const mostVariants = 4;

const total = (all: readonly LearnedOriginal[]): number => all.reduce((sum, one) => sum + sizeOf(one), 0);
