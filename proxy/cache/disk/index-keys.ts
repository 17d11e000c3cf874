import type { KeyRange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import { keyOfUri, scopes } from '../cache-key.js';
import type { PurgeSelector } from '../purge.js';

/*
 *     k!<cache key>            everything stored under it, see key-record.ts
 *     b!<segment>              the bytes of a small segment
 *     u!<sequence>             the key that was used then, for as long as this is its last recorded use
 *     u!~<list>!<sequence>     the same for keys in a list of uses other than the ordinary one
 *     c!<list>                 how many responses and bytes there are in such a list
 *     i!<group>                when the group was invalidated, see group-marks.ts
 *     x!<segment>              a file, or (`i`) bytes, to be deleted, and the size
 *     m!…                      about the store
 */
export const totalsKey = 'm!totals';
export const floorKey = 'm!floor';
export const runKey = 'm!run';
export const groupsKey = 'm!groups';
export const retentionKey = 'm!retention';

export const recordKey = (key: CacheKey): string => `k!${key}`;
export const keyOfRecord = (record: string): CacheKey => record.slice(2) as CacheKey;
export const contentKey = (segment: string): string => `b!${segment}`;
export const segmentOfContent = (content: string): string => content.slice(2);
export const graveKey = (segment: string): string => `x!${segment}`;
export const segmentOfGrave = (grave: string): string => grave.slice(2);
export const useKey = (sequence: number, list: string): string =>
  `u!${beginOf(list)}${sequence.toString(36).padStart(sequenceLength, '0')}`;
export const sequenceOfUse = (use: string): number => parseInt(use.slice(-sequenceLength), 36);
export const listOfUse = (use: string): string => use.slice('u!~'.length, -sequenceLength - 1);
export const countKey = (list: string): string => `c!${list}`;
export const listOfCount = (count: string): string => count.slice(2);

/** Of a group, by its `groupName`. */
export const markKey = (name: string): string => `i!${name}`;
export const nameOfMark = (mark: string): string => mark.slice(2);

export const allRecords: KeyRange = { from: 'k!', before: 'k"' };
export const allContents: KeyRange = { from: 'b!', before: 'b"' };
export const allGraves: KeyRange = { from: 'x!', before: 'x"' };
export const allUses: KeyRange = { from: 'u!', before: 'u"' };
export const allMarks: KeyRange = { from: 'i!', before: 'i"' };
/** What an index of format 1 has besides: the keys of each group. */
export const formerGroups: KeyRange = { from: 'g!', before: 'g"' };
export const allCounts: KeyRange = { from: 'c!', before: 'c"' };
export const usesFrom = (sequence: number, list: string): KeyRange => ({
  from: useKey(sequence, list),
  before: list === '' ? 'u!~' : `u!~${list}"`,
});

/** Where the index has the records that a purge may be about. */
export function rangesOf(selector: PurgeSelector): readonly KeyRange[] {
  switch (selector.kind) {
    case 'uri':
      return selector.uris.flatMap((uri) => inScopes(uri, exactly));
    case 'prefix':
      return selector.prefixes.flatMap((prefix) => inScopes(prefix, beginningWith));
    case 'host': {
      const begins = selector.origins ?? [`http://${selector.host}`, `https://${selector.host}`];
      return begins.flatMap((begin) => inScopes(begin, beginningWith));
    }
    case 'group':
      return selector.origins.flatMap((origin) => inScopes(origin, beginningWith));
  }
}

const sequenceLength = 11;
const beginOf = (list: string): string => (list === '' ? '' : `~${list}!`);

const inScopes = (uri: string, range: (from: string) => KeyRange): KeyRange[] =>
  scopes.map((scope) => range(recordKey(keyOfUri(uri, scope))));

const exactly = (key: string): KeyRange => ({ from: key, before: `${key}\0` });
/** In the order of bytes nothing that is text comes behind this character. */
const beginningWith = (prefix: string): KeyRange => ({ from: prefix, before: `${prefix}\u{10ffff}` });
