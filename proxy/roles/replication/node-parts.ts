import { join } from 'node:path';
import { formatProxyUri, parseProxyUri } from '../../../config/origin-uri.js';
import type { Config } from '../../../config/schema.js';
import { bytes, milliseconds } from '../../../config/units.js';
import { HttpNodeCaller } from '../../../wlis/calls/http-node-caller.js';
import type { NodeCaller } from '../../../wlis/calls/node-caller.js';
import { BlobStore } from '../../../replication/blob-store.js';
import type { CorrectedTime } from '../../../wlis/corrected-time.js';
import type { KeyDirectory } from '../../../replication/keys/key-directory.js';
import type { CallKey } from '../../../wlis/call-key.js';
import { originOf, type Namespace } from '../../../wlis/namespace.js';
import type { GroupMember } from '../../../wlis/trust/group-member.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { DialGuard, type DialGuardOptions } from '../../forward/dial-guard.js';
import { privateRangeOf } from '../../forward/destination-ranges.js';
import { Dialler } from '../../forward/dialler.js';
import { HttpUpstream } from '../../forward/http-upstream.js';
import { ParentProxy } from '../../forward/parent-proxy.js';
import { rangeTest } from '../../http/address-test.js';
import { parseAddress, type IpAddress } from '../../http/ip-address.js';
import type { FileContents } from '../file-contents.js';
import { diallerFor } from '../way.js';
import type { Founding } from './founding.js';

/** What all namespaces of a node share under one configuration. */
export interface NodeParts {
  readonly data: string;
  readonly keys: KeyDirectory;
  readonly founding: Founding;
  readonly callKey: CallKey;
  readonly blobs: BlobStore;
  /** `https://m1.example`; null if others cannot reach this node. */
  readonly url: string | null;
  /** What others are told of this node. */
  readonly standing: NodeStanding;
  readonly time: CorrectedTime;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The way to them. */
  upstreamFor(namespace: Namespace, from: string | null): HttpUpstream;
  /** Calls nodes of that namespace, at addresses where they may be. @param from the node that the operator named */
  callerFor(namespace: Namespace, from: string | null): NodeCaller;
  /** Whether a node of that namespace may say that it is there. */
  allowsUrl(namespace: Namespace, url: string): boolean;
}

/** Where a node is, and how much it can take. */
export type NodeStanding = Pick<GroupMember, 'place' | 'capacity'>;

export function standingOf({ node: { geo, capacity } }: Pick<Config, 'node'>): NodeStanding {
  const { lat, lon, area } = geo;
  const thousandths = (degrees: number): number => Math.round(degrees * 1000);
  const position = lat === null || lon === null ? null : { latitude: thousandths(lat), longitude: thousandths(lon) };
  return { place: area === null && position === null ? null : { area, position }, capacity };
}

/** Where the contents of documents are. */
export const documentsDirectory = ({ node }: Pick<Config, 'node'>): string => join(node.data, 'documents');

/** Members through which something goes. */
const mostTunnels = 32;

/** Longer than any call waits for its answer. */
const mostSilence = milliseconds(150_000);

/** The connections to other nodes, one set for each sort of place where they may be. */
export class NodeWays {
  readonly #config: Config;
  readonly #files: FileContents;
  readonly #options: NodeWaysOptions;
  readonly #isPermitted: (address: IpAddress) => boolean;
  readonly #upstreams = new Map<string, HttpUpstream>();
  readonly #tunnels = new Map<string, HttpUpstream>();

  constructor(config: Config, files: FileContents, options: NodeWaysOptions) {
    this.#config = config;
    this.#isPermitted = rangeTest(config.wlis.privateAddresses);
    this.#files = files;
    this.#options = options;
  }

  /** To nodes of a namespace; null for those alone that the operator named, and public ones. */
  upstreamFor(namespace: Namespace | null, from: string | null): HttpUpstream {
    const destinations = this.#destinations(namespace, from);
    const madeFrom = JSON.stringify(destinations);
    const known = this.#upstreams.get(madeFrom);
    if (known !== undefined) return known;
    const { logger, metrics, via } = this.#options;
    const upstream = new HttpUpstream({
      ...this.#config.upstream,
      dialler: diallerFor(this.#config, this.#files, new DialGuard(destinations), via),
      ...{ firstByteTimeout: mostSilence, bodyTimeout: mostSilence, logger, metrics },
    });
    this.#upstreams.set(madeFrom, upstream);
    return upstream;
  }

  /**
   * To the authority of a namespace by a tunnel through one of its members; null where the operator has everything go through a
   * parent proxy. Few are needed at a time: those that were made longest ago make room.
   */
  through(namespace: Namespace, member: string): HttpUpstream | null {
    const uri = parseProxyUri(member);
    if (typeof uri === 'string' || this.#config.upstream.proxy !== null) return null;
    const key = JSON.stringify([this.#destinations(namespace, null), member]);
    const known = this.#tunnels.get(key);
    if (known !== undefined) return known;
    const { logger, metrics, via } = this.#options;
    const { connectTimeout, ca: files } = this.#config.upstream;
    const parentGuard = new DialGuard(this.#destinations(namespace, null));
    const dialler = new Dialler({
      ...{ guard: new DialGuard({ allow: [], deny: [] }), parentGuard, connectTimeout, noProxy: [], via },
      ca: files.map((path) => this.#files.text(path)),
      parent: new ParentProxy(uri, null),
    });
    const upstream = new HttpUpstream({ ...this.#config.upstream, dialler, logger, metrics });
    const [oldest] = this.#tunnels;
    if (this.#tunnels.size >= mostTunnels && oldest !== undefined) {
      this.#tunnels.delete(oldest[0]);
      void oldest[1].retire();
    }
    this.#tunnels.set(key, upstream);
    return upstream;
  }

  /** Whether a node of a namespace may say that it is there, addresses among `wlis.privateAddresses` included. */
  allowsUrl(namespace: Namespace, url: string): boolean {
    const address = parseAddress(hostOf(url));
    if (address === null || privateRangeOf(address) === null) return mayBeAt(namespace, url);
    return isPrivate(originOf(namespace)) || this.#isPermitted(address);
  }

  async close(): Promise<void> {
    const all = [...this.#upstreams.values(), ...this.#tunnels.values()];
    await Promise.all(all.map((upstream) => upstream.close()));
  }

  #destinations(namespace: Namespace | null, from: string | null): DialGuardOptions {
    if (namespace !== null && isPrivate(originOf(namespace))) return { allow: [], deny: [] };
    const { privateAddresses, peers } = this.#config.wlis;
    const named = from === null ? 'none' : parseProxyUri(from);
    const exempt = typeof named === 'string' ? peers : [...peers, named];
    return { allow: privateAddresses, deny: ['private'], exempt };
  }
}

export interface NodeWaysOptions {
  readonly via: string;
  readonly logger: Logger;
  readonly metrics: ConstructorParameters<typeof HttpUpstream>[0]['metrics'];
}

/** Parts of one configuration; what they stand on is that of the node. */
export function nodeParts(config: Config, ways: NodeWays, { ground, time, clock, logger }: LastingParts): NodeParts {
  const { url, data } = config.node;
  const { keys, founding, callKey, blobs } = ground;
  return {
    ...{ data, keys, founding, callKey, blobs, time, clock, logger },
    url: url && formatProxyUri(url),
    standing: standingOf(config),
    upstreamFor: (namespace, from) => ways.upstreamFor(namespace, from),
    callerFor: (namespace, from) =>
      new HttpNodeCaller({ upstream: ways.upstreamFor(namespace, from), key: callKey, clock, now: time.now }),
    allowsUrl: mayBeAt,
  };
}

/** Whether a node of a namespace may say that it is there. A name is judged by the address that it leads to, when it is called. */
export const mayBeAt = (namespace: Namespace, url: string): boolean =>
  !isPrivate(url) || isPrivate(originOf(namespace)) || parseAddress(hostOf(url)) !== null;

interface LastingParts extends Pick<NodeParts, 'time' | 'clock' | 'logger'> {
  readonly ground: Pick<NodeParts, 'keys' | 'founding' | 'callKey' | 'blobs'>;
}

export async function openBlobs(config: Config, clock: Clock, logger: Logger): Promise<BlobStore> {
  return BlobStore.open({
    directory: documentsDirectory(config),
    limit: bytes(config.documents.disk),
    keep: keepBlobs,
    clock,
    onDamaged: (error) => logger.warn({ code: 'document-damaged', error }, 'a content was damaged and is forgotten'),
  });
}

/** Contents that nobody refers to any more may still be pulled by others for so long. */
const keepBlobs = milliseconds(15 * 60_000);

/** Whether a URL says by itself that it is of no public place: those of names that lead to one are known when they are called. */
function isPrivate(url: string): boolean {
  const host = hostOf(url);
  const address = parseAddress(host);
  if (address !== null) return privateRangeOf(address) !== null;
  return !host.includes('.') || privateNames.test(host);
}

/** Names that no public place has: RFC 6761, 6762 and 8375, and `internal`. */
const privateNames = /\.(?:localhost|test|local|internal|home\.arpa)$/;

function hostOf(url: string): string {
  const parsed = parseProxyUri(url);
  return typeof parsed === 'string' ? '' : parsed.host.replace(/^\[|\]$/g, '');
}
