import { milliseconds, type EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import { parseNamespace } from '../namespace.js';
import type { RootChain } from '../trust/root-chain.js';
import type { BookSettings } from './directory-settings.js';
import { KnownAuthority } from './known-authority.js';
import type { NodeReach } from './node-reach.js';

export interface AuthorityOpeningOptions {
  /** Where roots are remembered. */
  readonly directory: string;
  readonly reach: NodeReach;
  readonly settings: () => BookSettings;
  /** Nodes that may have root statements of an authority, beside itself. */
  readonly othersFor: (origin: string) => readonly string[];
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** An authority has other root statements than before. */
  readonly onNews: (authority: KnownAuthority, before: RootChain) => void;
}

interface Opening {
  readonly authority: Promise<KnownAuthority>;
  users: number;
}

const patience = milliseconds(5000);

/** Opens what is remembered of authorities, each once for all who need it at the same time. */
export class AuthorityOpening {
  readonly #options: AuthorityOpeningOptions;
  readonly #underWay = new Map<string, Opening>();

  constructor(options: AuthorityOpeningOptions) {
    this.#options = options;
  }

  /** @param use has it for itself and others until it is fulfilled; whoever keeps it for longer keeps it by himself */
  async use<T>(origin: string, use: (authority: KnownAuthority) => Promise<T>): Promise<T> {
    const opening = this.#underWay.get(origin) ?? { authority: this.#open(origin), users: 0 };
    opening.users++;
    this.#underWay.set(origin, opening);
    try {
      return await use(await opening.authority);
    } finally {
      if (--opening.users === 0 && this.#underWay.get(origin) === opening) this.#underWay.delete(origin);
    }
  }

  async #open(origin: string): Promise<KnownAuthority> {
    const { directory, reach, settings, othersFor, onNews, clock, now, logger } = this.#options;
    const { roots, firstUse } = settings();
    const opened: { authority: KnownAuthority | null; chain: RootChain } = { authority: null, chain: [] };
    const authority = await KnownAuthority.open({
      ...{ origin, directory, clock, now, logger, firstUse, patience, configured: roots.get(origin) ?? null },
      caller: reach.callerFor(parseNamespace(`${origin}/`)),
      others: () => othersFor(origin),
      onNews: () => {
        if (opened.authority === null) return;
        const before = opened.chain;
        opened.chain = opened.authority.chain;
        onNews(opened.authority, before);
      },
    });
    opened.authority = authority;
    opened.chain = authority.chain;
    return authority;
  }
}
