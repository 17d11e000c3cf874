import { detached } from './collapsed-text.js';
import { styleReferences } from './style-references.js';

/** A reference from a page to something that is got by HTTP. */
export interface PageLink {
  /** URI or reference as it stands, without character references, white space around it, and line breaks. */
  readonly reference: string;
  readonly kind: LinkKind;
  /** Link types, in lower case. */
  readonly rel: readonly string[];
}

/**
 * `link`: where a reader may go; `frame`: another page in it; `redirect`: where it goes by itself; `resource`: what belongs to
 * it, such as images, styles and scripts.
 */
export type LinkKind = 'link' | 'frame' | 'redirect' | 'resource';

/** Collects the references of a page's elements, each once. */
export class LinkList {
  readonly #links = new Map<string, PageLink>();
  #isCut = false;

  get all(): readonly PageLink[] {
    return [...this.#links.values()];
  }

  /** Whether some were left out, since there were too many. */
  get isCut(): boolean {
    return this.#isCut;
  }

  add(name: string, attributes: Attributes): void {
    if (attributes['style'] !== undefined) this.addStyle(attributes['style']);
    const kind = linkElements.get(name);
    if (kind !== undefined) this.#put(kind, attributes['href'] ?? attributes['xlink:href'], attributes['rel']);
    else if (name === 'link') this.#link(attributes);
    else if (name === 'meta') this.#meta(attributes);
    else if (name === 'iframe' || name === 'frame') this.#put('frame', attributes['src']);
    else this.#resources(name, attributes);
  }

  /** What CSS refers to. */
  addStyle(style: string): void {
    for (const reference of styleReferences(style)) this.#put('resource', reference);
  }

  #link(attributes: Attributes): void {
    const rel = (attributes['rel'] ?? '').toLowerCase().split(/\s+/);
    if (rel.some((type) => unfetched.has(type))) return;
    this.#put(rel.some((type) => resourceTypes.has(type)) ? 'resource' : 'link', attributes['href'], attributes['rel']);
    for (const reference of sourceSet(attributes['imagesrcset'])) this.#put('resource', reference);
  }

  /** HTML Standard §4.2.5.3, as far as the URL goes. */
  #meta(attributes: Attributes): void {
    if (attributes['http-equiv']?.trim().toLowerCase() !== 'refresh') return;
    const parts = /^\s*[\d.]+\s*(?:[;,]|\s)\s*(?:url\s*=\s*)?(?:"([^"]*)|'([^']*)|(.*))/is.exec(
      attributes['content'] ?? '',
    );
    this.#put('redirect', parts?.[1] ?? parts?.[2] ?? parts?.[3]);
  }

  #resources(name: string, attributes: Attributes): void {
    for (const attribute of resourceAttributes.get(name) ?? none) this.#put('resource', attributes[attribute]);
    if (name === 'img' || name === 'source') {
      for (const reference of sourceSet(attributes['srcset'])) this.#put('resource', reference);
    }
  }

  #put(kind: LinkKind, written: string | undefined, rel = ''): void {
    if (written === undefined || written.length > 2 * longestReference) return;
    // as browsers read an attribute with a URL (URL Standard §4.4)
    const reference = written.replace(/[\t\n\r]/g, '').trim();
    if (reference === '' || reference.startsWith('#') || reference.length > longestReference) return;
    if (/^[a-z][a-z0-9+.-]*:/i.test(reference) && !/^https?:/i.test(reference)) return;
    const types = rel.slice(0, longestRel).toLowerCase().split(/\s+/).filter(Boolean);
    const key = detached(`${kind} ${types.join(' ')} ${reference}`);
    if (this.#links.has(key)) return;
    this.#isCut ||= this.#links.size === mostLinks;
    if (this.#isCut) return;
    this.#links.set(key, { reference: detached(reference), kind, rel: types.map(detached) });
  }
}

type Attributes = Readonly<Record<string, string | undefined>>;

const mostLinks = 10_000;
const longestReference = 4096;
const longestRel = 256;
const none: readonly string[] = [];

const linkElements = new Map<string, LinkKind>([
  ['a', 'link'],
  ['area', 'link'],
  ['image', 'resource'],
  ['use', 'resource'],
  ['feimage', 'resource'],
]);

const resourceAttributes = new Map<string, readonly string[]>([
  ['img', ['src']],
  ['source', ['src']],
  ['script', ['src', 'href', 'xlink:href']],
  ['video', ['src', 'poster']],
  ['audio', ['src']],
  ['track', ['src']],
  ['embed', ['src']],
  ['object', ['data']],
  ['input', ['src']],
  ['body', ['background']],
  ['table', ['background']],
  ['td', ['background']],
]);

/** Types of `link` that belong to the page; the others lead to further pages. */
const resourceTypes = new Set([
  ...['stylesheet', 'icon', 'shortcut', 'apple-touch-icon', 'apple-touch-icon-precomposed', 'mask-icon', 'manifest'],
  ...['preload', 'modulepreload', 'prefetch', 'prerender'],
]);

/** Types of `link` behind which there is nothing to be got, or not by a visitor. */
const unfetched = new Set(['dns-prefetch', 'preconnect', 'pingback', 'edituri', 'webmention', 'profile']);

/** URLs of `srcset` (HTML Standard §4.8.4.2.2): they end at white space, and may have commas in them but not at their end. */
function* sourceSet(value = ''): Generator<string> {
  const candidate = /[\s,]*(\S*)/y;
  const descriptors = /[^,(]*(?:\([^)]*\)?[^,(]*)*/y;
  for (let at = 0; at < value.length; at = descriptors.lastIndex) {
    candidate.lastIndex = at;
    const written = candidate.exec(value)?.[1] ?? '';
    const url = withoutCommas(written);
    if (url !== '') yield url;
    descriptors.lastIndex = candidate.lastIndex;
    if (url === written) descriptors.exec(value);
    if (descriptors.lastIndex === at) return;
  }
}

function withoutCommas(text: string): string {
  let end = text.length;
  while (text.charAt(end - 1) === ',') end--;
  return text.slice(0, end);
}
