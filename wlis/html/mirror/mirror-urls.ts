import { originOf, type Namespace } from '../../namespace.js';
import type { MirrorPlaces } from './mirror-places.js';
import type { NameBases } from './named-links.js';
import type { UrlRewriting } from '../view-recipe.js';
import { absoluteUrl, joined, readUrl, type WrittenUrl } from './written-url.js';

export interface MirroredPage {
  readonly namespace: Namespace;
  /** Inside it, with its query. */
  readonly path: string;
}

/**
 * URLs of a page that is shown in a mirror space: what leads into a namespace that is shown there goes to where it is shown, be
 * it written with the origin or from its root; in a path space everything else that is written from the root, or that climbs out of
 * the namespace, goes to the origin. What is relative works as it stands.
 */
export class MirrorUrls implements UrlRewriting {
  readonly #places: MirrorPlaces;
  readonly #page: MirroredPage;
  readonly #names: NameBases | null;
  readonly #origin: string;

  constructor(places: MirrorPlaces, page: MirroredPage, names: NameBases | null) {
    this.#places = places;
    this.#page = page;
    this.#names = names;
    this.#origin = originOf(page.namespace);
  }

  get key(): string {
    return `${this.#places.key} ${this.#names?.version ?? ''}`;
  }

  /** Tells the space from others. */
  get space(): string {
    return this.#places.space.name;
  }

  rewritten(url: string, kind: 'link' | 'base'): string | null {
    const written = readUrl(url);
    if (written === null) return null;
    if (written.kind === 'relative') return kind === 'base' ? null : this.#climbing(written);
    const rewritten = this.#placed(written);
    return rewritten === url ? null : rewritten;
  }

  #placed(written: Exclude<WrittenUrl, { kind: 'relative' }>): string | null {
    const { space } = this.#places;
    const isNamed = written.kind === 'absolute' && written.authority.endsWith('.wlis');
    const base = isNamed ? (this.#names?.baseOf(written.authority) ?? null) : null;
    const named = base === null ? null : base + written.path.slice(1) + written.query;
    const uri = named ?? absoluteUrl(written, this.#origin) + written.query;
    const place = this.#placeOf(uri) ?? named;
    if (place !== null) return place + written.fragment;
    // under a name of its own a page has its root where it had it
    return written.kind === 'rooted' && space.kind === 'path' ? uri + written.fragment : null;
  }

  #placeOf(uri: string): string | null {
    const { space } = this.#places;
    const isHere = space.kind === 'name' && this.#places.namespaceOf(uri) === this.#page.namespace;
    return isHere ? asPath(uri.slice(this.#origin.length)) : this.#places.of(uri);
  }

  /** By its path alone: where a `base` says otherwise, nothing is known of it. */
  #climbing(written: Extract<WrittenUrl, { kind: 'relative' }>): string | null {
    const places = this.#places;
    const { namespace, path } = this.#page;
    const begin = places.of(namespace);
    if (places.space.kind === 'name' || !written.climbs || begin === null) return null;
    const uri = this.#origin + joined(namespace.slice(this.#origin.length) + path, written.path);
    const place = places.of(uri);
    // as browsers see it from where the page is shown
    if (place === joined(begin + path, written.path)) return null;
    return (place ?? uri) + written.query + written.fragment;
  }
}

/** What begins with two slashes would name a host. */
const asPath = (path: string): string => (path.startsWith('//') ? `/.${path}` : path);
