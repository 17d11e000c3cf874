import { formatOriginUri, type OriginUri } from '../../config/origin-uri.js';
import { hrefOf, originOf, type TargetUri } from '../../proxy/http/target-uri.js';
import type { Place } from '../trust/group-member.js';
import type { ListedFile, ListedUrl, MirrorList } from './listed-mirrors.js';

/** A part of the web, and the servers that have copies of it. */
export interface MirroredPart {
  readonly of: OriginUri;
  readonly at: readonly OriginUri[];
  readonly list: MirrorList | null;
  readonly trust: 'compared' | 'full';
}

/** Where a document may be had. */
export interface MirrorPlace {
  /** Scheme, host and port, by which health is known. */
  readonly url: string;
  readonly role: 'primary' | 'mirror';
  readonly target: TargetUri;
  readonly place: Place | null;
}

interface Base {
  readonly uri: OriginUri;
  readonly place: Place | null;
}

interface Listed {
  readonly file: ListedFile;
  /** Beside those that follow from the mirrors of everything. */
  readonly places: readonly MirrorPlace[];
}

/** Who mirrors what, by one entry of `clientSide.mirrors`. */
export class MirrorSet {
  readonly of: OriginUri;
  readonly trust: MirroredPart['trust'];
  readonly #bases: Base[] = [];
  readonly #known = new Set<string>();
  readonly #listed = new Map<string, Listed>();

  constructor({ of, at, list, trust }: MirroredPart) {
    this.of = of;
    this.trust = trust;
    this.#known.add(formatOriginUri(of));
    for (const uri of at) this.#addBase(uri, null);
    for (const { uri, area } of list?.mirrors ?? []) this.#addBase(uri, area);
    for (const file of list?.files ?? []) this.#addFile(file);
  }

  /** How many mirrors have all of it. */
  get size(): number {
    return this.#bases.length;
  }

  has({ scheme, authority, path }: TargetUri): boolean {
    const { of } = this;
    return scheme === of.scheme && authority === of.authority && path.startsWith(of.path) && !climbs.test(path);
  }

  /** The original first. */
  placesOf(target: TargetUri): MirrorPlace[] {
    const path = target.path.slice(this.of.path.length);
    const original: MirrorPlace = { url: originOf(target), role: 'primary', target, place: null };
    const mirrors = this.#bases.map(({ uri, place }) => placeAt({ ...uri, path: uri.path + path }, place));
    return [original, ...mirrors, ...(this.#listed.get(path)?.places ?? [])];
  }

  /** What the list of mirrors says of a document; null if it says nothing of it. */
  listed(target: TargetUri): ListedFile | null {
    return this.#listed.get(target.path.slice(this.of.path.length))?.file ?? null;
  }

  #addBase(uri: OriginUri, area: string | null): void {
    const spelled = formatOriginUri(uri);
    if (this.#known.has(spelled)) return;
    this.#known.add(spelled);
    this.#bases.push({ uri, place: placeIn(area) });
  }

  /**
   * A URL that ends in the path of the file names a mirror of everything; another one a place of this file alone. The
   * path is what stands behind the original's URL in that of the original, if it is among them, or else the file's name.
   */
  #addFile(file: ListedFile): void {
    const { path: prefix } = this.of;
    const own = file.urls.find(({ target }) => this.has(target));
    const path = own === undefined ? file.path : own.target.path.slice(prefix.length);
    const others: MirrorPlace[] = [];
    for (const url of file.urls) {
      if (this.has(url.target)) continue;
      if (url.target.path.endsWith(`/${path}`)) this.#addBase(baseOf(url, path), url.area);
      else others.push(placeAt(url.target, placeIn(url.area)));
    }
    this.#listed.set(path, { file, places: others });
  }
}

/** The one for which there are the most specific mirrors; null if there is none for that target. */
export function mirrorSetFor(sets: readonly MirrorSet[], target: TargetUri): MirrorSet | null {
  let found: MirrorSet | null = null;
  for (const set of sets) {
    if (set.has(target) && (found === null || set.of.path.length > found.of.path.length)) found = set;
  }
  return found;
}

/** A dot segment, which may lead out of what is mirrored. */
const climbs = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

const placeAt = (target: TargetUri, place: Place | null): MirrorPlace => ({
  url: originOf(target),
  role: 'mirror',
  target,
  place,
});

const placeIn = (area: string | null): Place | null => (area === null ? null : { area, position: null });

const baseOf = ({ target }: ListedUrl, path: string): OriginUri => ({
  ...target,
  path: target.path.slice(0, target.path.length - path.length),
});

/** For the log. */
export const placeHref = ({ target }: MirrorPlace): string => hrefOf(target);
