import type { EpochMs } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { DirectoryCalls } from './directory-calls.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import type { DirectorySettings } from './directory-settings.js';
import { PeerExchange, type PeerState } from './peer-exchange.js';
import type { RecordIntake } from './record-intake.js';

export interface ExchangeOptions {
  readonly calls: DirectoryCalls;
  readonly intake: RecordIntake;
  readonly refusals: DirectoryRefusals;
  readonly settings: () => DirectorySettings;
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** Asks each peer again and again for what it has learned: what all of them know, each of them knows after a while. */
export class Exchange {
  readonly #options: ExchangeOptions;
  #peers: readonly PeerExchange[] = [];
  #leaving: Promise<unknown> = Promise.resolve();

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  get states(): readonly PeerState[] {
    return this.#peers.map(({ state }) => state);
  }

  /** Begins, or goes on with the peers that the settings name now. @param isTrustOther whether what was refused may be believed now */
  configure(isTrustOther: boolean): void {
    const { peers: urls } = this.#options.settings();
    const { calls, intake, refusals, settings, now, logger, chance } = this.#options;
    const left = this.#peers.filter(({ url }) => !urls.includes(url));
    const before = new Map(this.#peers.map((peer) => [peer.url, peer]));
    this.#leaving = Promise.all([this.#leaving, ...left.map((peer) => peer.stop())]);
    this.#peers = [...new Set(urls)].map((url) => {
      const known = before.get(url);
      if (known === undefined) {
        const every = () => settings().exchangeEvery;
        return new PeerExchange({ ...{ url, calls, intake, refusals, now, logger, chance }, every });
      }
      if (isTrustOther) known.begin();
      return known;
    });
    for (const peer of this.#peers)
      if (before.has(peer.url)) peer.reschedule();
      else peer.start();
  }

  /** Asks all of them now. Never rejects. */
  async ask(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.ask()));
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.#leaving, ...this.#peers.map((peer) => peer.stop())]);
  }
}
