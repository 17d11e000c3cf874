import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { PinsFull } from '../cache/pins-full.js';

/** How often the same is said again. */
const interval = 60_000;

/** Says that pinned responses have the room that others want: once for each rule and store in a while, with how often it was. */
export class PinsFullReports {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #said = new Map<string, { at: number; since: number }>();

  constructor(logger: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @param store the part of the store, `memory` or `disk` */
  refused(store: string, { of, wanted, pinned, limit }: PinsFull): void {
    const subject = `${store} ${of.name}`;
    const now = this.#clock.monotonic();
    const before = this.#said.get(subject);
    if (before !== undefined && now - before.at < interval) {
      before.since++;
      return;
    }
    // rules that are no longer there are forgotten in time
    for (const [other, { at }] of this.#said) if (now - at >= interval) this.#said.delete(other);
    this.#said.set(subject, { at: now, since: 0 });
    const refused = 1 + (before?.since ?? 0);
    this.#logger.warn(
      { code: 'pins-full', store, rule: of.name, wanted, pinned, limit, refused },
      'a response is not stored: pinned ones have the room',
    );
  }
}
