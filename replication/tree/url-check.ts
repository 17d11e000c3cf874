import type { MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';

export interface UrlCheckOptions {
  /**
   * The key of the node that is called so, by `node?nonce=`, which it has signed.
   * @throws CallFailed
   */
  readonly identify: (url: string, signal: AbortSignal) => Promise<PublicKey>;
  /** Whether a replica may be at that URL, as far as it says; the dial guard looks at the address that it leads to. */
  readonly allows: (url: string) => boolean;
  readonly clock: Clock;
}

/**
 * Calls nodes back at the URLs that they say are theirs, before anybody is sent there (protocol decision 19): nobody can name
 * another's. What strangers can make this node call is bounded: a few at once, and a few in a second.
 */
export class UrlCheck {
  readonly #options: UrlCheckOptions;
  #underWay = 0;
  #credit = burst;
  #creditAt: MonotonicMs | null = null;

  constructor(options: UrlCheckOptions) {
    this.#options = options;
  }

  /**
   * @throws CallProblem 422 url-refused, url-not-confirmed; 503 busy
   */
  async confirm(id: KeyId, urls: readonly string[], signal: AbortSignal): Promise<void> {
    const { allows } = this.#options;
    for (const url of urls) {
      if (!allows(url)) throw new CallProblem(422, 'url-refused', `${url}: replicas may not be there`);
    }
    this.#spend(urls.length);
    this.#underWay++;
    try {
      for (const url of urls) await this.#confirmOne(id, url, signal);
    } finally {
      this.#underWay--;
    }
  }

  async #confirmOne(id: KeyId, url: string, signal: AbortSignal): Promise<void> {
    let key: PublicKey;
    try {
      key = await this.#options.identify(url, signal);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      throw new CallProblem(422, 'url-not-confirmed', `called back, ${error.message}`);
    }
    if (keyIdOf(key) !== id) throw new CallProblem(422, 'url-not-confirmed', `${url}: there is another node`);
  }

  #spend(count: number): void {
    const now = this.#options.clock.monotonic();
    const passed = this.#creditAt === null ? 0 : now - this.#creditAt;
    this.#credit = Math.min(burst, this.#credit + (passed / 1000) * perSecond);
    this.#creditAt = now;
    if (this.#underWay >= atOnce || this.#credit < count) {
      throw new CallProblem(503, 'busy', 'too many nodes are being called back', ['Retry-After', '5']);
    }
    this.#credit -= count;
  }
}

const atOnce = 16;
const burst = 64;
const perSecond = 8;
