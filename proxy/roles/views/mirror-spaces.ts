import type { Site } from '../../../config/side-keys.js';
import type { AccessPolicy } from '../../access/access-policy.js';
import { addressTest } from '../../http/address-test.js';
import type { Request } from '../../http/message.js';
import { hrefOf, type TargetUri } from '../../http/target-uri.js';
import { originOf, type Namespace } from '../../../wlis/namespace.js';
import {
  isLabel,
  MIRROR,
  nameSpace,
  parseMirrorPath,
  pathSpace,
  type MirrorSpace,
} from '../../../wlis/html/mirror/mirror-space.js';
import { LabelledEntries } from '../replication/labelled-entries.js';
import type { NamespaceEntry } from '../replication/namespace-entry.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';
import { withoutDotSegments } from '../public-target.js';

export interface MirrorSpacesOptions {
  readonly layer: Pick<ReplicationLayer, 'entries'>;
  readonly access: Pick<AccessPolicy, 'clientOf' | 'targetOf'>;
  readonly sites: readonly NamingSite[];
  /** `https://m1.example`: `node.url`; null if there is none. */
  readonly url: string | null;
  /** `node.mirrorDomain` */
  readonly domain: string | null;
}

type NamingSite = Pick<Site, 'host' | 'prefix' | 'origin'>;

/** What somebody asks of a mirror space. */
export type MirrorRead =
  | { readonly kind: 'index'; readonly shown: readonly Namespace[]; readonly suffix: string | null }
  | { readonly kind: 'unknown' }
  /** It is to be had under the name of this node, which is its own, or that of a site that stands for it. */
  | { readonly kind: 'original'; readonly uri: string }
  /** It is not shown here, since `because` has a part in this browser origin. */
  | { readonly kind: 'closed'; readonly namespace: Namespace; readonly because: string }
  | MirrorPlace;

/** A place in a mirror space. */
export interface MirrorPlace {
  readonly kind: 'place';
  readonly space: MirrorSpace;
  readonly entry: NamespaceEntry;
  /** In a path space inside the namespace, null without the slash that begins it; in a name space at its origin. */
  readonly path: string | null;
  /** Whether the client speaks TLS, as far as is known. */
  readonly isSecure: boolean;
}

/**
 * Which requests are for namespaces as browsers see them here (protocol decision 6): `/mirror/<label>/` under the authority of
 * `node.url` and of nobody else, `<label>.<node.mirrorDomain>`, and for this machine `<label>.localhost`.
 */
export class MirrorSpaces {
  readonly #options: MirrorSpacesOptions;
  readonly #byLabel: LabelledEntries;
  readonly #authority: string | null;
  readonly #domain: string | null;
  /** Which sites have the name of the node. */
  readonly #ownSites: readonly NamingSite[];
  #owner: { readonly of: ReplicationLayer['entries'] | null; readonly name: string | null };

  constructor(options: MirrorSpacesOptions) {
    const { url, domain, layer, sites } = options;
    this.#options = options;
    this.#byLabel = new LabelledEntries(layer);
    this.#authority = url === null ? null : authorityOf(url);
    this.#domain = domain === null ? null : `.${domain}`;
    const host = url === null ? null : new URL(url).hostname;
    this.#ownSites = sites.filter((one) => host !== null && (one.host === host || one.host === '*'));
    this.#owner = { of: null, name: null };
  }

  /** Null if it is for nothing of the sort. */
  read(request: Request): MirrorRead | null {
    if (this.#options.layer.entries.isEmpty) return null;
    const target = this.#options.access.targetOf(request);
    const isBelow = target.authority === this.#authority && target.path.startsWith(MIRROR);
    return this.#byName(request, target) ?? (isBelow ? this.#byPath(withoutDotSegments(target)) : null);
  }

  /** What else lies under the authority of `node.url`: pages there could be made to load documents as their own. Null for nothing. */
  get otherOwner(): string | null {
    const { entries } = this.#options.layer;
    if (this.#owner.of !== entries) {
      const [namespace] = [...entries].find(([one]) => this.#isAtOwn(one)) ?? [];
      const [site] = this.#ownSites;
      const named = site === undefined ? null : `the site ${site.host}`;
      this.#owner = { of: entries, name: namespace === undefined ? named : `the namespace ${namespace}` };
    }
    return this.#owner.name;
  }

  /** Which namespaces that keeps from being shown under it. */
  get closed(): readonly Namespace[] {
    if (this.#authority === null || this.otherOwner === null) return [];
    return [...this.#options.layer.entries].map(([one]) => one).filter((one) => this.#atOwn(one) === null);
  }

  #byName(request: Request, target: TargetUri): MirrorRead | null {
    const { host } = target;
    const isOwn = this.#domain !== null && host.endsWith(this.#domain);
    const suffix = isOwn ? this.#domain : host.endsWith(onLoopback) ? onLoopback : null;
    if (suffix === null) return null;
    const label = host.slice(0, -suffix.length);
    const entry = isLabel(label) ? this.#byLabel.get(label) : undefined;
    if (entry === undefined) return isOwn ? { kind: 'unknown' } : null;
    if (!isOwn && !isLoopback(this.#options.access.clientOf(request))) return null;
    const space = nameSpace(suffix + target.authority.slice(host.length));
    // what does not leave the machine is nobody's to read
    const { path } = withoutDotSegments(target);
    return { kind: 'place', space, entry, path, isSecure: !isOwn || this.#isSecure(target) };
  }

  #byPath(target: TargetUri): MirrorRead | null {
    const { path } = target;
    // that is where dot segments may lead
    if (!path.startsWith(MIRROR)) return null;
    const isSecure = this.#isSecure(target);
    const because = this.otherOwner;
    const asked = parseMirrorPath(path);
    const entry = asked === null ? undefined : this.#byLabel.get(asked.label);
    if (asked !== null && entry !== undefined) {
      const { namespace } = entry;
      const own = this.#atOwn(namespace);
      if (own !== null) return { kind: 'original', uri: own + (asked.path ?? '') };
      if (because !== null) return { kind: 'closed', namespace, because };
      return { kind: 'place', space: pathSpace, entry, path: asked.path, isSecure };
    }
    if (because !== null) return null;
    return path === MIRROR || path.startsWith(`${MIRROR}?`) ? this.#index(target, isSecure) : { kind: 'unknown' };
  }

  #index({ host, authority }: TargetUri, isSecure: boolean): MirrorRead {
    const all = [...this.#options.layer.entries].map(([namespace]) => namespace).sort();
    const shown = all.filter((one) => isSecure || one.startsWith('http:'));
    const suffix = this.#domain === null ? null : this.#domain + authority.slice(host.length);
    return { kind: 'index', shown, suffix };
  }

  /** Somebody in front of a node that others call by https takes the TLS off. */
  #isSecure({ scheme }: TargetUri): boolean {
    return scheme === 'https' || this.#options.url?.startsWith('https:') === true;
  }

  /** Where a namespace is to be had under the name of this node in any case; null if it is not. */
  #atOwn(namespace: Namespace): string | null {
    if (this.#isAtOwn(namespace)) return namespace;
    const site = this.#ownSites.find(({ origin }) => namespace.startsWith(hrefOf(origin)));
    return site === undefined
      ? null
      : `${this.#options.url ?? ''}${site.prefix}${namespace.slice(hrefOf(site.origin).length)}`;
  }

  #isAtOwn(namespace: Namespace): boolean {
    return authorityOf(originOf(namespace)) === this.#authority;
  }
}

const authorityOf = (origin: string): string => origin.slice(origin.indexOf('://') + 3);

const onLoopback = '.localhost';
const isLoopback = addressTest(['127.0.0.0/8', '::1']);
