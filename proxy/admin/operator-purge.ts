import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import type { PurgeMode, PurgeSelector } from '../cache/purge.js';
import { purgeGroup, purgeHost, purgePrefix, purgeUri } from '../cache/purge-selector.js';
import type { Request } from '../http/message.js';
import type { Members } from './json-request.js';

/** What a purge did. */
export interface PurgeReport {
  /** How many stored responses it concerned. */
  readonly purged: number;
  readonly mode: PurgeMode;
  readonly selector: PurgeSelector;
}

/** Purges at a time: each goes through the whole store in turn. */
const mostAtOnce = 64;

/** `POST /api/purge`: `{uri | prefix | host | group + origin, hard?}`. */
export class OperatorPurge {
  readonly #cache: CachingHandler;
  readonly #logger: Logger;
  #running = 0;

  constructor(cache: CachingHandler, logger: Logger) {
    this.#cache = cache;
    this.#logger = logger;
  }

  /** @throws WillisError bad-request, too-busy */
  async perform(members: Members, { id, client }: Pick<Request, 'id' | 'client'>): Promise<PurgeReport> {
    const selector = selectorOf(members);
    const mode: PurgeMode = members.boolean('hard') === true ? 'hard' : 'soft';
    members.end();
    if (this.#running >= mostAtOnce) throw new WillisError('too-busy', `${mostAtOnce} purges are under way`);
    this.#running++;
    try {
      const purged = await this.#cache.purge(selector, mode);
      this.#logger.info(
        { code: 'purged', id, client: client.address, detail: described(selector), mode, purged },
        'purged',
      );
      return { purged, mode, selector };
    } finally {
      this.#running--;
    }
  }
}

const kinds = ['uri', 'prefix', 'host', 'group'] as const;

function selectorOf(members: Members): PurgeSelector {
  const [uri, prefix, host, group] = kinds.map((kind) => members.string(kind));
  const origin = members.string('origin');
  const given = [uri, prefix, host, group].filter((value) => value !== undefined);
  if (given.length !== 1) throw refused(`exactly one of ${kinds.join(', ')} is wanted, and ${given.length} are given`);
  if ((group === undefined) !== (origin === undefined)) throw refused('group and origin go together');
  if (uri !== undefined) return purgeUri(uri);
  if (prefix !== undefined) return purgePrefix(prefix);
  if (host !== undefined) return purgeHost(host);
  return purgeGroup(origin ?? '', group ?? '');
}

function described(selector: PurgeSelector): string {
  switch (selector.kind) {
    case 'uri':
      return selector.uris.join(', ');
    case 'prefix':
      return `whatever begins with ${selector.prefixes.join(', ')}`;
    case 'host':
      return `the host ${selector.origins?.join(', ') ?? selector.host}`;
    case 'group':
      return `the group ${selector.group} of ${selector.origins.join(', ')}`;
  }
}

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);
