import type { EpochMs, Milliseconds } from '../../../config/units.js';
import type { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import type {
  ChoicePageFacts,
  OfferedFacts,
  PartFacts,
  StoredFacts,
  WillFacts,
} from '../../../wlis/html/bar/choice-page.js';
import type { HealthTable } from '../../../wlis/health/health-table.js';
import { cacheKeyOf, type Scope } from '../../cache/cache-key.js';
import { StoredProvenance } from '../../cache/provenance-of.js';
import type { ResponseStore } from '../../cache/response-store.js';
import type { StoredResponse } from '../../cache/stored-response.js';
import { isOfChoice } from '../../../wlis/choice/chosen-source.js';
import type { Request } from '../../http/message.js';
import { hrefOf, type TargetUri } from '../../http/target-uri.js';
import type { ReaderChoosing, ReadersWill } from './reader-choosing.js';
import type { PartServer, ServedPart } from './served-parts.js';
import type { ServerStates } from './server-states.js';

export interface ChoiceFactsOptions {
  /** Name of the node. */
  readonly name: string;
  readonly states: ServerStates;
  readonly choosing: Pick<ReaderChoosing, 'of' | 'serverFor'>;
  readonly tokens: ChoiceTokens;
  readonly health: Pick<HealthTable, 'of'>;
  readonly store: Pick<ResponseStore, 'peek'>;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/** Gathers what is known here of a page and of those who have it, for one reader. */
export class ChoiceFacts {
  constructor(private readonly options: ChoiceFactsOptions) {}

  async of(request: Request, shown: TargetUri, served: ServedPart | null): Promise<ChoicePageFacts> {
    return {
      node: this.options.name,
      shown: hrefOf(shown),
      uri: hrefOf(request.target),
      part: served && this.#part(request, shown, served),
      stored: await this.#stored(request),
    };
  }

  #part({ client, target }: Request, shown: TargetUri, served: ServedPart): PartFacts {
    const { tokens, choosing, now } = this.options;
    const { part, by, servers, path } = served;
    const newest = by.kind === 'group' ? (by.known.head?.head ?? null) : null;
    const at = now();
    const active = servers.filter(({ isActive }) => isActive(at));
    const offered = active.map((server): OfferedFacts => ({
      ...this.options.states.of(server, served),
      value: server.value,
      latency: this.#latency(server),
      has: server.has(path),
    }));
    return {
      part,
      kind: by.kind,
      newest: newest && { seq: newest.seq, issued: newest.issued },
      will: willFacts(choosing.of(client.address, served, target)),
      servers: offered.sort((a, b) => rankOf(a) - rankOf(b)),
      hidden: { token: tokens.ofReader(client.address, part), of: hrefOf(shown) },
    };
  }

  #latency({ urls }: PartServer): Milliseconds | null {
    for (const url of urls) {
      const { latency } = this.options.health.of(url);
      if (latency !== null) return latency;
    }
    return null;
  }

  async #stored(request: Request): Promise<readonly StoredFacts[]> {
    const { store, choosing } = this.options;
    const server = choosing.serverFor(request);
    const scope: Scope = server === null ? '' : 'chosen';
    const all = await store.peek(cacheKeyOf(request.target, scope));
    return all.filter((stored) => server === null || isOfChoice(stored, server)).map(storedFacts);
  }
}

function storedFacts(stored: StoredResponse): StoredFacts {
  const { receivedAt, freshUntil, source } = new StoredProvenance(stored);
  return { receivedAt, freshUntil, from: source?.url ?? null };
}

function willFacts(will: ReadersWill): WillFacts {
  return will.kind === 'chosen' ? { kind: 'chosen', url: will.server.url } : will;
}

const rankOf = ({ has, down }: OfferedFacts): number => (has ? 0 : 2) + (down === null ? 0 : 1);
