import { bytes } from '../../../config/units.js';
import { Fill } from '../../../proxy/cache/fill.js';
import { RecentlyUsed } from '../../../proxy/cache/recently-used.js';
import type { ResponseStore, ResponseWriter } from '../../../proxy/cache/response-store.js';
import type { Body } from '../../../proxy/http/body.js';
import type { Cancellation } from '../../../proxy/base/cancellation.js';
import type { LookedAtPage } from './looked-at-page.js';

/** A page of which a view is to be made. */
export interface PageInHand {
  /** By which views that are the same are known; null for one that nobody shares. */
  readonly key: string | null;
  /** How much of the room for all takes the one that is made of it. */
  readonly share: number;
  /** Of the one who asked. */
  readonly cancellation: Cancellation;
  /** The page as it came, which is cancelled if the one who asked goes away meanwhile. */
  readonly content: Body;
  lookAt(): Promise<LookedAtPage>;
  /** The content of the view; it owns the page from then on. */
  view(looked: LookedAtPage & { readonly kind: 'document' }): Body;
  /** Null if it is not to be stored, or cannot be. */
  writer(): ResponseWriter | null;
}

export type Made =
  | { readonly kind: 'view'; readonly body: Body }
  /** It is no page that a view can be made of, or there is too much to do: its content as it came. */
  | { readonly kind: 'original'; readonly body: Body; readonly because: string };

/**
 * Views that are being made, each once for all who ask for it meanwhile: to the store and to them at once. Nobody sees one that is not
 * whole but as it comes; what breaks breaks for all of them, and is not stored.
 */
export class ViewMakings {
  readonly #store: ResponseStore;
  /** By key; null if nothing came of it. */
  readonly #underWay = new Map<string, Promise<Fill | null>>();
  /** Contents that are known to be no pages. */
  readonly #others = new RecentlyUsed<string, string>(othersLimit);
  #count = 0;
  /** Shares of those that are being made. */
  #taken = 0;

  constructor(store: ResponseStore) {
    this.#store = store;
  }

  /** How many are being made. */
  get count(): number {
    return this.#count;
  }

  /** Why no view can be made of a content; undefined if that is not known. */
  reasonAgainst(key: string): string | undefined {
    return this.#others.size === 0 ? undefined : this.#others.use(key);
  }

  /** A view that somebody else has begun, from its beginning; null if there is none any more. */
  async join(key: string): Promise<Body | null> {
    const fill = await this.#underWay.get(key);
    return fill?.joinable === true ? fill.reader() : null;
  }

  isUnderWay(key: string): boolean {
    return this.#underWay.has(key);
  }

  /** Rejects as the page breaks, or with the reason for which its reader has gone. */
  async make(page: PageInHand): Promise<Made> {
    if (this.#taken + page.share > mostAtOnce) return { kind: 'original', body: page.content, because: 'busy' };
    this.#count++;
    this.#taken += page.share;
    const making = this.#make(page);
    if (page.key !== null && !this.#underWay.has(page.key)) this.#announce(page.key, making);
    return (await making).made;
  }

  async #make(page: PageInHand): Promise<Making> {
    let looked: LookedAtPage;
    try {
      looked = await unlessGone(page);
    } catch (error) {
      this.#over(page);
      throw error;
    }
    if (looked.kind === 'other') {
      this.#over(page);
      const { because, content } = looked;
      if (page.key !== null) this.#others.put(page.key, because, bytes(page.key.length + perOther));
      return { made: { kind: 'original', body: content, because }, fill: null };
    }
    const fill = new Fill(page.view(looked), page.writer(), {
      readAhead,
      // how much is missing nobody knows, as long as it is not done
      completeWithin: bytes(0),
      keepPart: () => false,
      backing: { window, open: (stored, from, to) => this.#store.open(stored, from, to) },
    });
    fill.whenEnded(() => this.#over(page));
    const body = fill.reader();
    // those who waited for it become its readers in this turn
    setImmediate(fill.hold());
    return { made: { kind: 'view', body }, fill };
  }

  #over({ share }: PageInHand): void {
    this.#count--;
    this.#taken -= share;
  }

  #announce(key: string, making: Promise<Making>): void {
    const over = (): void => {
      if (this.#underWay.get(key) === announced) this.#underWay.delete(key);
    };
    const announced = making.then(
      ({ fill }) => {
        if (fill === null) over();
        else fill.whenEnded(over);
        return fill;
      },
      () => {
        over();
        return null;
      },
    );
    this.#underWay.set(key, announced);
  }
}

interface Making {
  readonly made: Made;
  readonly fill: Fill | null;
}

/** Shares; of one there are up to two MiB of buffers, those of its coding among them. */
const mostAtOnce = 128;
const readAhead = bytes(256 * 1024);
const window = bytes(4 * 1024 * 1024);
const othersLimit = bytes(256 * 1024);
const perOther = 100;

async function unlessGone(page: PageInHand): Promise<LookedAtPage> {
  const { cancellation, content } = page;
  const listener = { onCancelled: (reason: Error) => content.cancel(reason) };
  cancellation.add(listener);
  if (cancellation.reason !== null) content.cancel(cancellation.reason);
  try {
    const looked = await page.lookAt();
    if (cancellation.reason !== null) looked.content.cancel(cancellation.reason);
    else return looked;
  } catch (error) {
    throw cancellation.reason ?? error;
  } finally {
    cancellation.remove(listener);
  }
  throw cancellation.reason;
}
