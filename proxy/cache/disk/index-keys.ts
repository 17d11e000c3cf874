import type { KeyRange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import { keyOfUri, scopes } from '../cache-key.js';
import { groupName, groupNames } from '../group-index.js';
import type { PurgeSelector } from '../purge.js';

/*
 *     k!<cache key>            everything stored under it, see key-record.ts
 *     b!<segment>              the bytes of a small segment
 *     u!<sequence>             the key that was used then, for as long as this is its last recorded use
 *     g!<group>\0<cache key>   the key has responses in the group
 *     x!<segment>              a file to be deleted, and its size
 *     m!…                      about the store
 */
export const totalsKey = 'm!totals';
export const floorKey = 'm!floor';
export const runKey = 'm!run';

export const recordKey = (key: CacheKey): string => `k!${key}`;
export const keyOfRecord = (record: string): CacheKey => record.slice(2) as CacheKey;
export const contentKey = (segment: string): string => `b!${segment}`;
export const graveKey = (segment: string): string => `x!${segment}`;
export const useKey = (sequence: number): string => `u!${sequence.toString(36).padStart(11, '0')}`;
export const sequenceOfUse = (use: string): number => parseInt(use.slice(2), 36);

/** One for each group that a response is in. */
export const groupKeys = (response: { readonly key: CacheKey; readonly groups: readonly string[] }): string[] =>
  groupNames(response).map((name) => `g!${name}\0${response.key}`);

export const allRecords: KeyRange = { from: 'k!', before: 'k"' };
export const allContents: KeyRange = { from: 'b!', before: 'b"' };
export const allGraves: KeyRange = { from: 'x!', before: 'x"' };
export const allUses: KeyRange = { from: 'u!', before: 'u"' };
export const allGroups: KeyRange = { from: 'g!', before: 'g"' };
export const usesFrom = (sequence: number): KeyRange => ({ from: useKey(sequence), before: 'u"' });

/** Where the index has the keys that a purge may be about: their records, or (`groups`) their places in groups. */
export function rangesOf(selector: PurgeSelector): { readonly groups: boolean; readonly ranges: readonly KeyRange[] } {
  switch (selector.kind) {
    case 'uri':
      return { groups: false, ranges: selector.uris.flatMap((uri) => inScopes(uri, exactly)) };
    case 'prefix':
      return { groups: false, ranges: selector.prefixes.flatMap((prefix) => inScopes(prefix, beginningWith)) };
    case 'host': {
      const begins = selector.origins ?? [`http://${selector.host}`, `https://${selector.host}`];
      return { groups: false, ranges: begins.flatMap((begin) => inScopes(begin, beginningWith)) };
    }
    case 'group': {
      const names = scopes.flatMap((scope) =>
        selector.origins.map((origin) => groupName(keyOfUri(origin, scope), selector.group)),
      );
      return { groups: true, ranges: names.map(groupRange) };
    }
  }
}

export const groupRange = (name: string): KeyRange => beginningWith(`g!${name}\0`);

/** The cache key in a key of the index that a range of `rangesOf` gave. */
export const keyFound = (found: string, groups: boolean): CacheKey =>
  (groups ? found.slice(found.indexOf('\0') + 1) : found.slice(2)) as CacheKey;

const inScopes = (uri: string, range: (from: string) => KeyRange): KeyRange[] =>
  scopes.map((scope) => range(recordKey(keyOfUri(uri, scope))));

const exactly = (key: string): KeyRange => ({ from: key, before: `${key}\0` });
/** In the order of bytes nothing that is text comes behind this character. */
const beginningWith = (prefix: string): KeyRange => ({ from: prefix, before: `${prefix}\u{10ffff}` });
