import { keyOfUri, scopes, type CacheKey } from './cache-key.js';
import { groupName, type GroupIndex } from './group-index.js';
import { nextTurn } from './next-turn.js';
import type { PurgeSelector } from './purge.js';

/** Goes through what is stored without holding up other work: a slice a turn of the event loop, one walk at a time. */
export class PurgeWalk {
  #last: Promise<unknown> = Promise.resolve();

  /** @param all the keys of the store, in an order that stands changes while it is gone through */
  constructor(
    private readonly all: ReadonlySet<CacheKey>,
    private readonly groups: GroupIndex,
  ) {}

  /**
   * Visits the keys that a purge may be about, of those that are there now; gives how many responses the visits concerned.
   * A few are visited at once.
   */
  over(selector: PurgeSelector, visit: (key: CacheKey) => number): Promise<number> {
    if (selector.kind === 'uri') return inSlices(keysOfUris(selector.uris), visit);
    const keys =
      selector.kind === 'group'
        ? keysOfGroup(selector.origins, selector.group, this.groups)
        : first(this.all.size, this.all);
    const walk = this.#last.then(() => inSlices(keys, visit));
    this.#last = walk.catch(() => undefined);
    return walk;
  }
}

/** About a millisecond's work: a key that is not concerned counts as one, a response that is as ten. */
const slice = 4000;

async function inSlices(keys: Iterable<CacheKey>, visit: (key: CacheKey) => number): Promise<number> {
  let concerned = 0;
  let work = 0;
  for (const key of keys) {
    const here = visit(key);
    concerned += here;
    work += 1 + here * 10;
    if (work < slice) continue;
    work = 0;
    await nextTurn();
  }
  return concerned;
}

const keysOfUris = (uris: readonly string[]): CacheKey[] =>
  scopes.flatMap((scope) => uris.map((uri) => keyOfUri(uri, scope)));

function* keysOfGroup(origins: readonly string[], group: string, groups: GroupIndex): Iterable<CacheKey> {
  for (const scope of scopes) {
    for (const origin of origins) {
      yield* groups.keysOf(groupName(keyOfUri(origin, scope), group));
    }
  }
}

/** The first so many: what is added while one goes through them comes behind, and need not end. */
function* first(count: number, keys: Iterable<CacheKey>): Iterable<CacheKey> {
  let left = count;
  for (const key of keys) {
    if (left-- === 0) return;
    yield key;
  }
}
