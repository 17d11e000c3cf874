import { epochMs, type EpochMs } from '../../config/units.js';
import { canonicalUri } from '../canonical-uri.js';
import { originOf, type Namespace } from '../namespace.js';
import { NotCanonical } from '../not-canonical.js';
import type { Json, JsonObject } from './canonical-json.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';
import { parsePublicKey, type PublicKey } from './public-key.js';
import { parseSubset, subsetJson, type Subset } from './subset.js';

/** A node that holds a namespace. It is known by its key: the same key at another place is the same node. */
export interface GroupMember {
  readonly key: PublicKey;
  /** `https://m1.example`: scheme, host and port in canonical spelling, the preferred one first. None if nobody can reach it. */
  readonly urls: readonly string[];
  readonly place: Place | null;
  /** How much it can take beside the others: one of capacity 4 four times as much as one of capacity 1. */
  readonly capacity: number;
}

export interface Place {
  /** ISO 3166-1 alpha-2, in lower case. */
  readonly area: string | null;
  /** In thousandths of a degree. */
  readonly position: { readonly latitude: number; readonly longitude: number } | null;
}

export interface Replica extends GroupMember {
  /** Null for all of the namespace. */
  readonly subset: Subset | null;
  /** Till then the primary counts it among the group. */
  readonly activeUntil: EpochMs;
  /** Approved by the operator of the primary, or joined by itself: then it is for those only who verify what it sends. */
  readonly access: 'listed' | 'open';
  /** Whether clients that do not verify may be sent to it. */
  readonly browsers: boolean;
  /** Whether it may stand behind the namespace's own host: it sees credentials and is trusted like the primary. */
  readonly delegate: boolean;
}

/** @throws NotBelieved malformed, too-large */
export function parsePrimary(value: Json, namespace: Namespace): GroupMember {
  const members = new Members(value, 'group: primary');
  const primary = parseMember(members, namespace);
  if (primary.urls.length === 0) throw wrong('a primary without a URL');
  members.end();
  return primary;
}

/** @throws NotBelieved malformed, too-large */
export function parseReplica(value: Json, namespace: Namespace): Replica {
  const members = new Members(value, 'group: replica');
  const access = members.text('access', 16);
  if (access !== 'listed' && access !== 'open') throw wrong(`'access' is ${quoted(access)}`);
  const replica: Replica = {
    ...parseMember(members, namespace),
    subset: members.optional('subset', (name) => parseSubset(members.value(name), members.what)) ?? null,
    activeUntil: epochMs(members.integer('activeUntil', 0)),
    access,
    browsers: members.optional('browsers', (name) => members.flag(name)) ?? false,
    delegate: members.optional('delegate', (name) => members.flag(name)) ?? false,
  };
  members.end();
  if (access === 'open' && (replica.browsers || replica.delegate)) {
    throw wrong("'browsers' and 'delegate' are for listed replicas only");
  }
  return replica;
}

export const memberJson = ({ key, urls, place, capacity }: GroupMember): JsonObject => ({
  key,
  urls,
  place: place === null ? undefined : placeJson(place),
  capacity,
});

export const replicaJson = (replica: Replica): JsonObject => ({
  ...memberJson(replica),
  subset: replica.subset === null ? undefined : subsetJson(replica.subset),
  activeUntil: replica.activeUntil,
  access: replica.access,
  browsers: replica.browsers ? true : undefined,
  delegate: replica.delegate ? true : undefined,
});

/** Of an object that has more than that. @param namespace null: whatever it holds. @throws NotBelieved malformed, too-large */
export function parseMember(members: Members, namespace: Namespace | null): GroupMember {
  const urls = members.list('urls', mostUrls).map((one) => parseNodeUrl(one, namespace));
  if (new Set(urls).size < urls.length) throw wrong('a member with a URL twice');
  return {
    key: parsePublicKey(members.text('key', 64), `${members.what}: 'key'`),
    urls,
    place: members.optional('place', (name) => parsePlace(members.value(name))) ?? null,
    capacity: members.integer('capacity', 1, mostCapacity),
  };
}

/** The URL of a node that may hold the namespace. @throws NotBelieved malformed, too-large */
export function parseNodeUrl(value: Json, namespace: Namespace | null): string {
  const text = typeof value === 'string' ? value : '';
  if (text.length > longestUrl) throw new NotBelieved('too-large', `group: a URL longer than ${longestUrl}`);
  let origin: string;
  try {
    origin = originOf(canonicalUri(`${text}/`));
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new NotBelieved('malformed', `group: ${quoted(text)}: ${error.message}`, { cause: error });
  }
  if (origin !== text) throw wrong(`${quoted(text)} is not scheme, host and port in canonical spelling`);
  if (namespace?.startsWith('https:') === true && !text.startsWith('https:')) {
    throw wrong(`${quoted(text)} without TLS for a namespace that has it`);
  }
  return text;
}

function parsePlace(value: Json): Place {
  const members = new Members(value, 'group: place');
  const area = members.optional('area', (name) => members.text(name, 2)) ?? null;
  const latitude = members.optional('lat', (name) => members.integer(name, -90_000, 90_000)) ?? null;
  const longitude = members.optional('lon', (name) => members.integer(name, -180_000, 180_000)) ?? null;
  members.end();
  if (area !== null && !/^[a-z]{2}$/.test(area)) throw wrong(`${quoted(area)} is no area`);
  if ((latitude === null) !== (longitude === null)) throw wrong('half of a position');
  const position = latitude === null || longitude === null ? null : { latitude, longitude };
  if (area === null && position === null) throw wrong('a place that says nothing');
  return { area, position };
}

const placeJson = ({ area, position }: Place): JsonObject => ({
  area: area ?? undefined,
  lat: position?.latitude,
  lon: position?.longitude,
});

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `group: ${fault}`);

const mostUrls = 8;
const longestUrl = 512;
const mostCapacity = 1_000_000;
