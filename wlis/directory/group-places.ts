import type { EpochMs } from '../../config/units.js';
import type { Fields } from '../../proxy/http/fields.js';
import { parseDictionary } from '../../proxy/http/structured-fields.js';
import { rawUrl } from '../calls/raw-target.js';
import type { CanonicalUri } from '../canonical-uri.js';
import { distanceBetween } from '../choice/distance.js';
import { askableMembers, type AskableMember } from '../choice/group-members.js';
import { namespaceLabel, pathInside } from '../namespace.js';
import type { SignedGroup } from '../trust/group.js';
import type { Place } from '../trust/group-member.js';
import type { ResolvedPlace } from './resolution.js';

/** The request field by which a client says where it is. */
export const CLIENT_FIELD = 'WLIS-Client';

export interface PlacesAsked {
  readonly uri: CanonicalUri;
  /** Where the client is; null if it does not say. */
  readonly client: Place | null;
  /** Whether a node is better not asked: it comes after all others. */
  readonly isOut: (url: string) => boolean;
  readonly now: EpochMs;
  /** From 0 to 1: those who are as good as each other take turns, by their capacities. */
  readonly chance: () => number;
}

const mostPlaces = 32;

/** Where a group has a document raw, the best first: what is nearest to the client, the primary after the replicas of its place. */
export function placesFor(signed: SignedGroup, asked: PlacesAsked): readonly ResolvedPlace[] {
  const { namespace } = signed.group;
  const path = pathInside(namespace, asked.uri);
  if (path === null) return [];
  const label = namespaceLabel(namespace);
  return askableMembers(signed)
    .filter((one) => one.urls.length > 0 && one.isActive(asked.now) && one.holds(path, null))
    .map((one) => ({ one, url: one.urls[0] ?? '', rank: rankOf(one, asked) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, mostPlaces)
    .map(({ one: { role, member }, url }) => ({
      ...{ url, role, raw: rawUrl(url, label, path) },
      browsers: role === 'primary' || ('browsers' in member && member.browsers === true),
    }));
}

/** `geo="52.5,13.4"`: degrees north and east. Null for what is none. */
export function clientPlace(fields: Fields): Place | null {
  const value = fields.get(CLIENT_FIELD);
  const member = value === undefined || value.length > 256 ? undefined : parseDictionary(value)?.get('geo');
  const text = member !== undefined && 'value' in member && typeof member.value === 'string' ? member.value : '';
  const [, north, east] = /^(-?\d{1,2}(?:\.\d{1,6})?),(-?\d{1,3}(?:\.\d{1,6})?)$/.exec(text) ?? [];
  const [latitude, longitude] = [Number(north), Number(east)].map((degrees) => Math.round(degrees * 1000));
  if (latitude === undefined || longitude === undefined) return null;
  if (!(Math.abs(latitude) <= 90_000 && Math.abs(longitude) <= 180_000)) return null;
  return { area: null, position: { latitude, longitude } };
}

/** Lower is better. Within a place by chance, more often the one that can take more. */
function rankOf({ member, role, urls }: AskableMember, { client, isOut, chance }: PlacesAsked): number {
  const distance = client === null ? 0 : Math.round(distanceBetween(client, member.place) / sameDistance);
  const turn = Math.max(chance(), Number.EPSILON) ** (1 / member.capacity);
  return (isOut(urls[0] ?? '') ? 1e6 : 0) + distance * 3 + (role === 'primary' ? 1 : 0) + (1 - turn);
}

/** Milliseconds: less is no difference. */
const sameDistance = 5;
