import type { Bytes, EpochMs } from '../../config/units.js';
import { subsetTest, type SubsetTest } from '../choice/subset-test.js';
import { namespaceLabel } from '../namespace.js';
import type { Group } from '../trust/group.js';
import { locatedReplicas } from '../trust/group-standing.js';
import type { GroupMember, Replica } from '../trust/group-member.js';
import type { PublicKey } from '../trust/public-key.js';
import { rawUrl } from '../calls/raw-target.js';
import { ownLink } from './link-field.js';

/** Where the bytes of a document can be had as well. */
export interface Duplicate {
  /** Raw. */
  readonly url: string;
  /** Country, two letters in lower case; null where it is not said. */
  readonly area: string | null;
  /** Directories that are there too, from that of the document upwards (RFC 6249); 0 where that is not for all that lies there. */
  readonly depth: number;
}

interface Holder {
  readonly url: string;
  readonly area: string | null;
  readonly isPrimary: boolean;
  /** Null for all. */
  readonly holds: SubsetTest | null;
  readonly seed: number;
  readonly capacity: number;
}

/**
 * Those of a group to whom clients may be sent that do not verify: replicas with the right to that (protocol decision 4), and the
 * primary, which comes last. @param self who is left out
 */
export function rightHolders(group: Group, self: PublicKey | null, now: EpochMs): readonly (Replica | GroupMember)[] {
  const replicas = locatedReplicas(group, now).filter(({ browsers }) => browsers);
  return [...replicas, group.primary].filter(({ key }) => key !== self);
}

export const areaOf = ({ place }: GroupMember): string | null => place?.area ?? null;

/**
 * Where a document can be had from those holders. The order is the same for all clients (decision 15), and another one for each document, so that all
 * of them have their share, by their capacities.
 */
export class GroupLinks {
  readonly #label: string;
  readonly #holders: readonly Holder[];

  /** @param self who says it: nobody is sent where he is already; null for nobody in particular */
  constructor(group: Group, self: PublicKey | null, now: EpochMs) {
    this.#label = namespaceLabel(group.namespace);
    this.#holders = rightHolders(group, self, now).map((one) => holderOf(one, group.primary));
  }

  /** At most 10, the best first. @param length of what is asked for; null if that is not known */
  duplicates(path: string, length: Bytes | null): readonly Duplicate[] {
    const having = this.#holders.filter(({ holds }) => holds === null || holds(path, length));
    if (having.length > 1) order(having, path);
    const depth = depthOf(path);
    return having.slice(0, most).map(({ url, area, holds }) => ({
      url: rawUrl(url, this.#label, path),
      area,
      depth: holds === null ? depth : 0,
    }));
  }

  /** The same as values of `Link`. */
  linksFor(path: string, length: Bytes | null): readonly string[] {
    return this.duplicates(path, length).map(({ url, area, depth }, i) => {
      const geo = area === null ? [] : [`geo=${area}`];
      return ownLink({
        url,
        rel: 'duplicate',
        params: [`pri=${i + 1}`, ...geo, ...(depth === 0 ? [] : [`depth=${depth}`])],
      });
    });
  }
}

function holderOf(member: Replica | GroupMember, primary: GroupMember): Holder {
  const {
    urls: [url = ''],
    capacity,
    key,
  } = member;
  const subset = 'subset' in member ? member.subset : null;
  const holds = subset === null ? null : subsetTest(subset);
  return { url, area: areaOf(member), isPrimary: member === primary, holds, seed: hashOf(key), capacity };
}

/** Segments of the path up to the namespace. */
function depthOf(path: string): number {
  const end = path.indexOf('?');
  let depth = 1;
  for (let i = path.indexOf('/'); i >= 0 && (end < 0 || i < end); i = path.indexOf('/', i + 1)) depth++;
  return depth;
}

/** By rendezvous hashing with weights. */
function order(holders: Holder[], path: string): void {
  const seed = hashOf(path);
  const scores = new Map<Holder, number>();
  for (const holder of holders) {
    // from above 0 to below 1
    const share = (mixed(holder.seed ^ seed) + 0.5) / 0x1_0000_0000;
    scores.set(holder, holder.isPrimary ? Infinity : -Math.log(share) / holder.capacity);
  }
  holders.sort((a, b) => (scores.get(a) as number) - (scores.get(b) as number));
}

/** FNV-1a, 32 bits: nobody gains by making two of them equal. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash;
}

/** The finish of MurmurHash3, by which every bit depends upon all. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const most = 10;
