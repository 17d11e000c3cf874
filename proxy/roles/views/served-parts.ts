import { formatOriginUri } from '../../../config/origin-uri.js';
import type { Config } from '../../../config/schema.js';
import type { EpochMs } from '../../../config/units.js';
import { askableMembers } from '../../../wlis/choice/group-members.js';
import { distanceBetween } from '../../../wlis/choice/distance.js';
import { placeOf } from '../../../wlis/choice/own-place.js';
import type { ChosenPart } from '../../../wlis/choice/reader-choices.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import type { MirrorSet } from '../../../wlis/mirrors/mirror-set.js';
import { documentPathIn } from '../../../wlis/requested-path.js';
import type { Place } from '../../../wlis/trust/group-member.js';
import type { SignedGroup } from '../../../wlis/trust/group.js';
import type { TargetUri } from '../../http/target-uri.js';
import type { FileContents } from '../file-contents.js';
import type { FindingLayer } from '../finding/finding-layer.js';

/** One of those who have a part of the web. */
export interface PartServer {
  /** By which it is called first, and known to readers. */
  readonly url: string;
  readonly urls: readonly string[];
  readonly role: 'primary' | 'replica' | 'mirror';
  /** By which readers choose it: `primary`, or its URL. */
  readonly value: string;
  readonly place: Place | null;
  /** Whether it counts among them now. */
  readonly isActive: (now: EpochMs) => boolean;
  /** Whether it has that path. */
  readonly has: (path: string) => boolean;
}

/** A part of the web that several have, and between whom readers choose. */
export interface ServedPart {
  readonly part: ChosenPart;
  /** Inside the part, with its query. */
  readonly path: string;
  /** The nearest first, as far as the map tells; the primary at the end. The same list as long as the same are known. */
  readonly servers: readonly PartServer[];
  readonly by:
    { readonly kind: 'group'; readonly known: KnownNamespace } | { readonly kind: 'mirrors'; readonly set: MirrorSet };
}

export interface ServedPartsOptions {
  readonly config: Config;
  readonly files: Pick<FileContents, 'text'>;
  readonly finding: Pick<FindingLayer, 'directory' | 'mirrors'>;
}

/** Which parts of the web have several servers here: known namespaces, and what the configuration says is mirrored. */
export class ServedParts {
  readonly #options: ServedPartsOptions;
  readonly #own: Place | null;
  readonly #ofGroups = new WeakMap<SignedGroup, readonly PartServer[]>();

  constructor(options: ServedPartsOptions) {
    this.#options = options;
    this.#own = placeOf(options.config.node.geo);
  }

  /** Null for what has but one server. */
  of(target: TargetUri): ServedPart | null {
    const { finding, config, files } = this.#options;
    const known = finding.directory?.of(target) ?? null;
    if (known !== null) return this.#ofGroup(target, known);
    const set = config.clientSide.mirrors.length === 0 ? null : finding.mirrors.setFor(target, config, files);
    if (set === null) return null;
    const servers = serversOf(set, target);
    return {
      part: formatOriginUri(set.of),
      path: target.path.slice(set.of.path.length),
      servers,
      by: { kind: 'mirrors', set },
    };
  }

  #ofGroup(target: TargetUri, known: KnownNamespace): ServedPart | null {
    const path = documentPathIn(target, known.namespace);
    if (path === null) return null;
    const { namespace, group } = known;
    const servers = this.#ofGroups.get(group) ?? this.#serversOf(group);
    this.#ofGroups.set(group, servers);
    return { part: namespace, path, servers, by: { kind: 'group', known } };
  }

  #serversOf(signed: SignedGroup): readonly PartServer[] {
    const all = askableMembers(signed).flatMap(({ urls, role, member: { place }, holds, isActive }): PartServer[] => {
      const [url] = urls;
      if (url === undefined) return [];
      const has = (path: string): boolean => holds(path, null);
      return [{ url, urls, role, place, value: role === 'primary' ? role : url, isActive, has }];
    });
    return all.sort((a, b) => this.#farness(a) - this.#farness(b));
  }

  #farness({ role, place }: PartServer): number {
    return role === 'primary' ? Infinity : distanceBetween(this.#own, place);
  }
}

function serversOf(set: MirrorSet, target: TargetUri): readonly PartServer[] {
  const servers = new Map<string, PartServer>();
  for (const { url, role, place } of set.placesOf(target)) {
    const value = role === 'primary' ? role : url;
    if (!servers.has(url)) servers.set(url, { url, urls: [url], role, value, place, ...always });
  }
  const [original, ...mirrors] = servers.values();
  return original === undefined ? mirrors : [...mirrors, original];
}

const always = { isActive: () => true, has: () => true };
