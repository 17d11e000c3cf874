import { WillisError } from '../base/errors.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import type { PurgeMode, PurgeSelector } from '../cache/purge.js';
import { purgeGroup, purgeHost, purgePrefix, purgeUri } from '../cache/purge-selector.js';
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
  #running = 0;

  constructor(cache: CachingHandler) {
    this.#cache = cache;
  }

  /** @throws WillisError bad-request, too-busy */
  async perform(members: Members): Promise<PurgeReport> {
    const selector = selectorOf(members);
    const mode: PurgeMode = members.boolean('hard') === true ? 'hard' : 'soft';
    members.end();
    if (this.#running >= mostAtOnce) throw new WillisError('too-busy', `${mostAtOnce} purges are under way`);
    this.#running++;
    try {
      return { purged: await this.#cache.purge(selector, mode), mode, selector };
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

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);
